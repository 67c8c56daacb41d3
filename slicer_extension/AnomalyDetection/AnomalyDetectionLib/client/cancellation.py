"""Stopping a request from another thread, even while it waits for the network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import Cancelled


class Cancellation:
    """Set once by whoever wants to stop; looked at, and listened to, by whoever works."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], None]] = []

    def set(self) -> None:
        """Stop what goes on, now."""
        with self._lock:
            self._set.set()
            for interrupt in self._interrupts:
                interrupt()

    def is_set(self) -> bool:
        return self._set.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until it is set.

        Raises:
            Cancelled: it is set.
        """
        self._set.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` where it is set."""
        if self.is_set():
            raise Cancelled

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call `interrupt` when it is set during this block, from the thread that sets it.

        Raises:
            Cancelled: it is set already.
        """
        with self._lock:
            self.check()
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
