"""Temporary files of the server, in a folder of its own that the next server deletes where this one was killed."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "umaddpm-server-"
LOCK = ".lock"


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """Let all temporary files of this process and of those that it starts lie in one folder, which goes with the block.

    What servers left that live no longer is deleted first: their folders have the name of ours, belong to this user, and
    the system has let go of their lock.
    """
    parent = Path(tempfile.gettempdir())
    delete_left_behind(parent)
    place = parent / f"{PREFIX}{secrets.token_hex(8)}"
    lock = FileLock(f"{place}{LOCK}", mode=0o600)
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    with lock:
        place.mkdir(mode=0o700)
        tempfile.tempdir = os.environ["TMPDIR"] = str(place)
        try:
            yield place
        finally:
            tempfile.tempdir = before[0]
            os.environ.pop("TMPDIR")
            if before[1] is not None:
                os.environ["TMPDIR"] = before[1]
            _delete(place)


def delete_left_behind(parent: Path) -> None:
    """Delete the temporary folders in `parent` of this user's servers that live no longer."""
    for file in parent.glob(f"{PREFIX}*{LOCK}"):
        lock = FileLock(file, mode=0o600)
        try:
            if file.is_symlink() or (hasattr(os, "getuid") and file.stat().st_uid != os.getuid()):
                continue
            with lock.acquire(timeout=0):
                _delete(Path(str(file).removesuffix(LOCK)))
        except (Timeout, OSError):
            # It lives, or just went.
            continue


def _delete(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    Path(f"{place}{LOCK}").unlink(missing_ok=True)
