"""One thread for everything that waits for the network, and the way back from it to the thread that owns the scene."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from .client import Cancellation, Cancelled

Work = Callable[[Cancellation], Any]


class Worker:
    """Works off what it is given, one after the other. Whoever owns the scene calls `poll` from a timer, and only there are the
    call-backs called: never from the thread of the worker."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open: set[Cancellation] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="anomaly-detection", daemon=True)
        self._thread.start()

    def call(
        self,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        cancelled: Callable[[], None] = lambda: None,
    ) -> Cancellation:
        """Have something done.

        Args:
            work: called in the worker's thread with the cancellation that this returns; no Qt and no MRML in it.
            done, failed, cancelled: exactly one of them is called by `poll`, with what `work` returned or raised.

        Raises:
            RuntimeError: the worker is closed.
        """
        cancellation = Cancellation()
        with self._lock:
            if self._closed:
                raise RuntimeError("The worker is closed.")
            self._open.add(cancellation)

        def run() -> None:
            try:
                cancellation.check()
                result = work(cancellation)
            except Cancelled:
                self.tell(cancelled)
            except Exception as error:
                self.tell(lambda error=error: failed(error))
            else:
                self.tell(lambda: done(result))
            finally:
                with self._lock:
                    self._open.discard(cancellation)

        self._work.put(run)
        return cancellation

    def tell(self, told: Callable[[], None]) -> None:
        """Have something called by the next `poll`."""
        self._told.put(told)

    def poll(self) -> int:
        """Call what there is to be called, in the order in which it happened; returns how many calls that were."""
        calls = 0
        for calls in range(1, self._told.qsize() + 1):
            self._told.get()()
        return calls

    @property
    def is_busy(self) -> bool:
        """Whether something is being done, or there is something to be told."""
        with self._lock:
            return bool(self._open) or not self._told.empty()

    def close(self, seconds: float = 1.0) -> None:
        """Cancel everything and end the thread; waits no longer than this for it. What was not polled is forgotten."""
        with self._lock:
            self._closed = True
            unfinished = list(self._open)
        for cancellation in unfinished:
            cancellation.set()
        self._work.put(None)
        self._thread.join(seconds)

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()
