"""A bounded folder of fetched series: what was used longest ago goes first."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from umaddpm_core.errors import InputError


class SeriesCache:
    """Folders of series below `folder`, named by their UID; thread-safe, for one process.

    Args:
        folder: made where it is missing, for this user only, as patients' scans lie in it.
        limit: bytes that all series together may have; the one that was fetched last stays also where it alone has more.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._held: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for broken_off in folder.glob(".part-*"):
            shutil.rmtree(broken_off, ignore_errors=True)
        kept = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
        self._sizes: OrderedDict[str, int] = OrderedDict((path.name, _size(path)) for path in kept)

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
            if place.is_dir():
                os.utime(place)
                with self._lock:
                    self._sizes.setdefault(uid, _size(place))
                    self._sizes.move_to_end(uid)
            else:
                self._fill(place, fetch)
        return place

    @contextmanager
    def held(self, uid: str, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """The folder of a series, which is not evicted before the context ends; errors as for `path`."""
        with self._lock:
            self._held[uid] += 1
        try:
            yield self.path(uid, fetch)
        finally:
            with self._lock:
                self._held[uid] -= 1
            self._evict()

    def kept(self) -> list[str]:
        """UIDs of the series that are here."""
        with self._lock:
            return list(self._sizes)

    def remove(self, uid: str) -> bool:
        """Delete the folder of a series; whether there was one."""
        with self._lock:
            known = self._sizes.pop(uid, None) is not None
        shutil.rmtree(self.folder / uid, ignore_errors=True)
        return known

    def expire(self, seconds: float) -> None:
        """Delete the series that nobody asked for within this time."""
        with self._lock:
            kept = [uid for uid in self._sizes if not self._held[uid]]
        for uid in kept:
            place = self.folder / uid
            if not place.is_dir() or time.time() - place.stat().st_mtime > seconds:
                self.remove(uid)

    def _fill(self, place: Path, fetch: Callable[[Path], None]) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix=".part-", dir=self.folder, ignore_cleanup_errors=True) as part:
                fetched = Path(part) / place.name
                fetched.mkdir()
                fetch(fetched)
                os.replace(fetched, place)
        except OSError as error:
            raise InputError(f"The series cannot be kept on this server ({error.strerror or type(error).__name__}).") from error
        with self._lock:
            self._sizes[place.name] = _size(place)
            self._sizes.move_to_end(place.name)
        self._evict()

    def _evict(self) -> None:
        with self._lock:
            excess = sum(self._sizes.values()) - self._limit
            # The newest stays: somebody is about to read it.
            for uid in list(self._sizes)[:-1]:
                if excess <= 0:
                    break
                if not self._held[uid]:
                    excess -= self._sizes.pop(uid)
                    shutil.rmtree(self.folder / uid, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
