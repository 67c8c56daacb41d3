"""An answer of the archive that is kept for a while, and asked for anew without keeping anyone waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from umaddpm_core.errors import InputError

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class Listing(Generic[Answer]):
    """What `ask` returned last.

    Args:
        ask: asks the archive.
        seconds: after which it is asked again.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._turn = threading.Lock()
        self._last: tuple[float, Answer] | None = None
        self._failed: tuple[float, InputError] | None = None
        self._tried = -float("inf")

    def get(self) -> Answer:
        """The last answer where it is new enough, else another one; who waited for it while it failed is not kept waiting again.

        Raises:
            ArchiveUnavailable: there is none.
        """
        since = time.monotonic()
        with self._turn:
            if self._failed is not None and self._failed[0] > since:
                raise type(self._failed[1])(str(self._failed[1])) from self._failed[1]
            if self._last is None or time.monotonic() - self._last[0] > self._seconds:
                try:
                    self._last = (time.monotonic(), self._ask())
                except InputError as error:
                    self._failed = (time.monotonic(), error)
                    raise
            return self._last[1]

    def known(self) -> Answer | None:
        """The last answer, however old, at once; where it is old another one is asked for behind the caller's back."""
        now = time.monotonic()
        if now - self._tried > self._seconds:
            self._tried = now
            threading.Thread(target=self._refresh, name="archive listing", daemon=True).start()
        last = self._last
        return last[1] if last else None

    def forget(self) -> None:
        """Ask anew the next time."""
        with self._turn:
            self._last, self._tried = None, -float("inf")

    def _refresh(self) -> None:
        try:
            self.get()
        except InputError as error:
            logger.warning("%s", error)
