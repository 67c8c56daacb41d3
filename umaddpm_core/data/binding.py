"""What a cache is bound to from the start of its filling: one cohort, one way of preparing, one run at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from umaddpm_core.data.cache import FORMAT, INDEX, SETTINGS, write_settings
from umaddpm_core.errors import InputError

OWN_FILES = (INDEX, SETTINGS, "failures.csv", "contact_sheet*.png", "volumes/*.npz", "volumes/*.json")
"""All that `umaddpm preprocess` writes; nothing else is ever removed."""


@contextmanager
def bound(folder: Path, cohort: str, settings: dict[str, Any], fingerprints: dict[str, str], redo: bool = False) -> Iterator[None]:
    """A cache folder that is this run's alone while the block lasts, and bound to what is given.

    Args:
        folder: made where it is not there.
        settings, fingerprints: how scans are prepared, and of which files that depends.
        redo: empty the cache first.

    Raises:
        InputError: bound to something else, of another version, in use by another run, or not a cache but not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder for the cache.")
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _bind(folder, cohort, settings, fingerprints, redo)
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A cache folder that no other run changes while the block lasts.

    Raises:
        InputError: another run is changing it.
    """
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"Another run is filling the cache {folder}; wait for its end, or give another folder.") from error
    try:
        yield
    finally:
        lock.release()


def fingerprint(path: str | Path) -> str:
    """The first twelve digits of a file's SHA-256."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _bind(folder: Path, cohort: str, settings: dict[str, Any], fingerprints: dict[str, str], redo: bool) -> None:
    stored = _json(folder / SETTINGS)
    if "format" not in stored | _json(folder / INDEX):
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InputError(f"{folder} is no array cache, and not empty; give another folder.")
    elif redo:
        for pattern in OWN_FILES:
            for path in folder.glob(pattern):
                path.unlink()
    elif stored.get("format") != FORMAT:
        raise InputError(f"The array cache {folder} is of another version; give --redo to make it again, or another folder.")
    else:
        before = {"cohort": stored["cohort"], **stored["settings"], **stored["fingerprints"]}
        now = {"cohort": cohort, **settings, **fingerprints}
        if changes := [_change(key, before.get(key), now.get(key)) for key in {**now, **before} if before.get(key) != now.get(key)]:
            raise InputError(
                f"The cache {folder} was filled with other settings ({'; '.join(changes)}); give --redo to empty it, or another folder."
            )
        return
    write_settings(folder, cohort, settings, fingerprints)


def _change(key: str, before: Any, now: Any) -> str:
    words = key.replace("_", " ")
    shown = {True: "on", False: "off", None: "not set"}
    return f"{words} was {shown.get(before, before)}, is now {shown.get(now, now)}"


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
