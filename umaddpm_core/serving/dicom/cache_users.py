"""The processes that share a cache of series, and what each of them uses."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PART = ".part-"
"""Begins the name of a folder, below that of the series, with what is not a series yet or not any more."""
LOCK = ".lock"


class CacheUser:
    """One user of the cache in `folder`, who lives as long as it is referred to and its process lives.

    Notes lie beside the folder: of every user a locked file, of which the system lets go with the process; and of every
    series that a user holds an empty file. What a user left who lives no longer counts for nothing, and is deleted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._notes = folder, folder.with_name(f"{folder.name}-in-use")
        self._notes.mkdir(parents=True, exist_ok=True)
        self._notes.chmod(0o700)
        self._name = secrets.token_hex(8)
        self._held: Counter[str] = Counter()
        self._changing = threading.Lock()
        # Of the process and not of the thread that happens to be the first.
        self._alive = FileLock(self._notes / f"{self._name}{LOCK}", thread_local=False)
        with self.alone():
            self._alive.acquire()
            self.forget_the_dead()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else begins to hold a series, or looks who does, before the context ends."""
        with self._changing, FileLock(self._notes / f"all{LOCK}"):
            yield

    @contextmanager
    def holding(self, uid: str) -> Iterator[None]:
        """Let everybody know that a series is used while the context lasts."""
        note = self._notes / f"{uid}@{self._name}"
        with self.alone():
            self._held[uid] += 1
            note.touch()
        try:
            yield
        finally:
            with self.alone():
                self._held[uid] -= 1
                if not self._held[uid]:
                    del self._held[uid]
                    note.unlink(missing_ok=True)

    def held(self) -> set[str]:
        """UIDs of the series that somebody uses, which stays so only within `alone`."""
        self.forget_the_dead()
        return {note.name.rpartition("@")[0] for note in self._notes.iterdir() if "@" in note.name}

    def part(self) -> Path:
        """The name of a folder for what this user fetches or deletes, and nobody else touches."""
        return self._folder / f"{PART}{self._name}-{secrets.token_hex(4)}"

    def forget_the_dead(self) -> None:
        """Delete what users left who live no longer; within `alone`."""
        living = {self._name}
        for file in self._notes.glob(f"*{LOCK}"):
            name = file.name.removesuffix(LOCK)
            if name in (self._name, "all"):
                continue
            try:
                with FileLock(file, timeout=0):
                    file.unlink(missing_ok=True)
            except (Timeout, OSError):
                living.add(name)
        for note in self._notes.glob("*@*"):
            if note.name.rpartition("@")[2] not in living:
                note.unlink(missing_ok=True)
        for part in self._folder.glob(f"{PART}*"):
            if part.name.removeprefix(PART).partition("-")[0] not in living:
                shutil.rmtree(part, ignore_errors=True)
