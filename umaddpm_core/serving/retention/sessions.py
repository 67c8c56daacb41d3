"""Sessions: scans that a client sent to ask several questions about, until they expire."""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from monailabel.config import settings
from monailabel.utils.sessions import SessionInfo, Sessions

from umaddpm_core.data.replacing import replacing
from umaddpm_core.serving.retention.settings import retention_hours, sessions_megabytes

META = "meta.info"
SESSION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What MONAI Label calls a session."""

logger = logging.getLogger(__name__)


class DurableSessions(Sessions):
    """MONAI Label's sessions, with their limits kept also over a restart.

    The stock ones forget to look at what an earlier server left, hand out what has expired until they look again, have no
    limit on the disk, and a folder among them that is no session, as a kill can leave one, keeps the server from starting.

    Args:
        folder: of the sessions.
        seconds: after which one that nobody asks for any more is deleted.
        megabytes: the most that all together may take.
    """

    def __init__(self, folder: str, *, seconds: float, megabytes: float) -> None:
        super().__init__(folder)
        self.expiry = seconds
        self._bytes = megabytes * 1e6
        self._strays: set[str] = set()

    def __bool__(self) -> bool:
        """Also while it is empty, or the stock application would not look for what has expired."""
        return True

    def add_session(self, data_file: str, expiry: int = 0, uncompress: bool = False, session_id: str | None = None) -> tuple[str, SessionInfo]:
        """Keep a file or folder, which is moved here, as a session; where that fails nothing is kept."""
        session_id = session_id or str(uuid.uuid1())
        try:
            return super().add_session(data_file, expiry, uncompress, session_id)
        except BaseException:
            self.remove_session(session_id)
            raise

    def remove_session(self, session_id: str) -> None:
        """Delete a session, which another thread may be deleting as well."""
        self.pop(session_id, None)
        shutil.rmtree(Path(self.store_path) / session_id, ignore_errors=True)

    def get_session(self, session_id: str, update_ts: bool = True, fetch_cache: bool = True) -> SessionInfo | None:
        """A session, or None where there is none, none any more, or one that cannot be read.

        Another thread may delete it meanwhile.
        """
        try:
            found = super().get_session(session_id, update_ts=False, fetch_cache=fetch_cache)
            if found is None or self._has_expired(found):
                if found is not None:
                    self.remove_session(session_id)
                return None
        except (OSError, ValueError, TypeError, AttributeError):
            self.pop(session_id, None)
            return None
        if update_ts:
            found.last_access_ts = int(time.time())
            try:
                self._write_meta_info(session_id, found)
            except FileNotFoundError:
                self.pop(session_id, None)
                return None
        return found

    def remove_expired(self) -> int:
        """Delete what is too old, and the oldest while all together are too large; how many folders that were."""
        folder = Path(self.store_path)
        places = [place for place in folder.iterdir() if place.is_dir() and not place.is_symlink()] if folder.is_dir() else []
        known = {place.name: self.get_session(place.name, update_ts=False, fetch_cache=False) for place in places}
        for place in places:
            if known[place.name] is None and place.is_dir():
                self._look_at_stray(place)
        kept = sorted((session for session in known.values() if session), key=lambda session: session.last_access_ts)
        sizes = [_size(folder / session.name) for session in kept]
        while len(kept) > 1 and sum(sizes) > self._bytes:
            self.remove_session(kept.pop(0).name)
            sizes.pop(0)
        return sum(not place.exists() for place in places)

    def _has_expired(self, session: SessionInfo) -> bool:
        return time.time() - session.last_access_ts > min(session.expiry or self.expiry, self.expiry)

    def _look_at_stray(self, place: Path) -> None:
        """A folder without a session: one that is being made, what a kill left of one, or something that is not ours."""
        if place.name not in self._strays:
            self._strays.add(place.name)
            logger.warning("The folder %s among the sessions holds no session that can be read.", place.name)
        with suppress(FileNotFoundError):
            if SESSION_ID.fullmatch(place.name) and time.time() - place.stat().st_mtime > self.expiry:
                shutil.rmtree(place, ignore_errors=True)

    def _write_meta_info(self, session_id: str, session_info: SessionInfo) -> None:
        with replacing(Path(self.store_path) / session_id / META) as temporary:
            temporary.write_text(session_info.to_str())


def configured_sessions() -> DurableSessions:
    """The sessions, with MONAI Label's settings for them and ours.

    Raises:
        InputError: a setting that cannot be used.
    """
    # Stock MONAI Label takes an expiry of a minute and less for a mistake.
    stock = Sessions(settings.MONAI_LABEL_SESSION_PATH, settings.MONAI_LABEL_SESSION_EXPIRY)
    return DurableSessions(stock.store_path, seconds=min(stock.expiry, retention_hours() * 3600), megabytes=sessions_megabytes())


def _size(folder: Path) -> int:
    """Bytes of the files in a folder, which another thread may just replace or delete."""
    size = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with suppress(FileNotFoundError):
                size += os.stat(os.path.join(place, file)).st_size
    return size
