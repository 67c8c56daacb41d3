"""A bounded folder of fetched series: what was used longest ago goes first."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.cache_users import CacheUser


class SeriesCache:
    """Folders of series below `folder`, named by their UID; for several threads, and for several processes.

    Args:
        folder: made where it is missing, for this user only, as patients' scans lie in it.
        limit: bytes that all series together may have; those that are held, and the one that was used last, stay also
            where they have more.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._sizes: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._user = CacheUser(folder)

    def path(self, uid: str, fetch: Callable[[Path], None]) -> Path:
        """The folder of a series, fetched where it is not there.

        Args:
            uid: a plain name.
            fetch: writes the files of the series into the folder that it is given.

        Raises:
            InputError: there is no room on the disk; and what `fetch` raises, after which nothing is kept.
        """
        place = self.folder / uid
        with self._lock:
            turn = self._fetching.setdefault(uid, threading.Lock())
        with turn:
            if not place.is_dir():
                self._fill(place, fetch)
            _used_now(place)
        self._evict()
        return place

    @contextmanager
    def held(self, uid: str, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """The folder of a series, which is not evicted before the context ends; errors as for `path`."""
        try:
            with self._user.holding(uid):
                yield self.path(uid, fetch)
        finally:
            self._evict()

    def kept(self) -> list[str]:
        """UIDs of the series that are here."""
        return [place.name for place in self.folder.iterdir() if place.is_dir() and not place.name.startswith(".")]

    def remove(self, uid: str) -> bool:
        """Delete the folder of a series, also one that is held; whether there was one."""
        with self._user.alone():
            self._user.forget_the_dead()
            return self._remove(uid)

    def expire(self, seconds: float) -> None:
        """Delete the series that nobody asked for within this time."""
        with self._user.alone():
            held = self._user.held()
            for uid, used in self._by_use():
                if uid not in held and time.time() - used > seconds:
                    self._remove(uid)

    def _fill(self, place: Path, fetch: Callable[[Path], None]) -> None:
        part = self._user.part()
        try:
            part.mkdir()
            fetch(part)
            os.replace(part, place)
        except OSError as error:
            # Another process may have fetched it meanwhile.
            if not place.is_dir():
                raise InputError(f"The series cannot be kept on this server ({error.strerror or type(error).__name__}).") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _evict(self) -> None:
        with self._user.alone():
            # Another process may have fetched or deleted some.
            known = [uid for uid, _ in self._by_use()]
            self._sizes = {uid: self._sizes[uid] if uid in self._sizes else _size(self.folder / uid) for uid in known}
            excess = sum(self._sizes.values()) - self._limit
            if excess <= 0:
                return
            held = self._user.held()
            # The newest stays: somebody is about to read it.
            for uid in known[:-1]:
                if excess > 0 and uid not in held:
                    excess -= self._sizes[uid]
                    self._remove(uid)

    def _remove(self, uid: str) -> bool:
        # At once, so that nobody reads half a series.
        part = self._user.part()
        try:
            os.replace(self.folder / uid, part)
        except FileNotFoundError:
            return False
        self._sizes.pop(uid, None)
        shutil.rmtree(part, ignore_errors=True)
        return True

    def _by_use(self) -> list[tuple[str, float]]:
        """The series and when each was used, the one used longest ago first."""
        return sorted(((uid, (self.folder / uid).stat().st_mtime) for uid in self.kept()), key=lambda one: one[1])


def _used_now(place: Path) -> None:
    # By itself the system has a coarser clock.
    now = time.time_ns()
    with suppress(FileNotFoundError):
        os.utime(place, ns=(now, now))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
