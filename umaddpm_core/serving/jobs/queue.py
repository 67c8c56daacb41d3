"""The one queue that every detection of the server waits in, and the threads that work it off."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

from umaddpm_core.errors import Cancelled
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.progress import Durations, Progress

Work = Callable[[int], Any]
"""What is to be done; told the number of the worker that does it, the first being 0."""

RETRY_S = 10
"""What a client is told to wait where nothing is known yet."""


class QueueFull(Exception):
    """As many detections wait as may; after `retry_after` seconds there may be room again."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"The server is busy: {waiting} detections are waiting already; try again in {retry_after} s.")
        self.retry_after = retry_after


class Stopping(Cancelled):
    """The server is being stopped."""

    def __init__(self) -> None:
        super().__init__("The server is being stopped.")


class Ticket:
    """One piece of work in the queue: `future` gets what it returns or raises, `progress` says how far it is, `about` names
    the scan: by its id in the datastore where it is there, else by its file name.

    It is done in the context of who asked for it, so that what is logged meanwhile belongs to the request.
    """

    def __init__(self, work: Work, cancellation: Cancellation, progress: Progress, about: str) -> None:
        self.work, self.cancellation, self.progress, self.about = work, cancellation, progress, about
        self.future: Future[Any] = Future()
        self.context = copy_context()


class WorkQueue:
    """First come, first served, by a fixed number of threads.

    Args:
        workers: how many detections run at once.
        length: how many may wait; one more is refused.
        ended: called with every ticket whose future is resolved, in whichever way.
    """

    def __init__(self, workers: int, length: int, ended: Callable[[Ticket], None] = lambda ticket: None) -> None:
        self.workers, self.length, self._ended = workers, length, ended
        self.durations = Durations()
        self._changed = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._running: list[Ticket] = []
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), name=f"detection-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def stopping(self) -> bool:
        return self._stopping

    def require_room(self) -> None:
        """Make sure that work would be taken now.

        Raises:
            QueueFull: as many wait as may.
            Stopping: the server is being stopped.
        """
        with self._changed:
            if self._stopping:
                raise Stopping
            if len(self._waiting) >= self.length:
                seconds = min((left for ticket in self._running if (left := self._left(ticket)) is not None), default=RETRY_S)
                raise QueueFull(len(self._waiting), max(1, math.ceil(seconds)))

    def submit(
        self,
        work: Work,
        cancellation: Cancellation,
        progress: Progress,
        ended: Callable[[Ticket], None] | None = None,
        about: str = "",
    ) -> Ticket:
        """Let `work` wait for its turn.

        Args:
            work: raises `Cancelled` soon after `cancellation` was set.
            progress: which the work tells how far it is.
            ended: called once with the ticket when its future is resolved, in whichever way.
            about: name of the scan.

        Raises:
            QueueFull: as many wait as may.
            Stopping: the server is being stopped.
        """
        ticket = Ticket(work, cancellation, progress, about)
        ticket.future.add_done_callback(lambda _: self._ended(ticket))
        if ended is not None:
            ticket.future.add_done_callback(lambda _: ended(ticket))
        with self._changed:
            self.require_room()
            self._waiting.append(ticket)
            self._changed.notify()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """End what waits at once, and ask what runs to stop."""
        ticket.cancellation.set()
        with self._changed:
            if ticket not in self._waiting:
                return
            self._waiting.remove(ticket)
        _resolve(ticket, error=Cancelled())

    def about(self, belongs: Callable[[str], bool]) -> list[Ticket]:
        """What waits and runs about scans of whose names `belongs` is true."""
        with self._changed:
            return [ticket for ticket in (*self._running, *self._waiting) if belongs(ticket.about)]

    def position(self, ticket: Ticket) -> int | None:
        """Place among those that wait, 1 being next; None where it does not wait."""
        with self._changed:
            return self._waiting.index(ticket) + 1 if ticket in self._waiting else None

    def seconds_left(self, ticket: Ticket) -> float | None:
        """Seconds until the work is done, those before it included; None where nothing is known yet."""
        with self._changed:
            if ticket not in self._waiting:
                return self._left(ticket)
            before = [*self._running, *list(self._waiting)[: self._waiting.index(ticket)]]
        seconds = [self._left(one) for one in (*before, ticket)]
        return None if None in seconds else sum(seconds[:-1]) / self.workers + seconds[-1]

    def counts(self) -> dict[str, int]:
        """How many wait and run, and how many may."""
        with self._changed:
            return {
                "waiting": len(self._waiting),
                "running": len(self._running),
                "workers": self.workers,
                "queue": self.length,
            }

    def stop(self) -> None:
        """Take no more work, end what waits and ask what runs to stop; returns at once."""
        with self._changed:
            self._stopping = True
            dropped, running = list(self._waiting), list(self._running)
            self._waiting.clear()
            self._changed.notify_all()
        for ticket in running:
            ticket.cancellation.set()
        for ticket in dropped:
            _resolve(ticket, error=Stopping())

    def join(self, seconds: float) -> None:
        """Wait for the threads to end after `stop`, no longer than this."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _left(self, ticket: Ticket) -> float | None:
        return ticket.progress.seconds_left(self.durations)

    def _serve(self, number: int) -> None:
        while (ticket := self._next()) is not None:
            result, error = None, None
            try:
                result = ticket.context.run(ticket.work, number)
                if seconds := ticket.progress.end():
                    self.durations.learn(seconds)
            except Cancelled as cancelled:
                error = Stopping() if self._stopping else cancelled
            except BaseException as raised:  # whatever it was belongs to whoever asked, and the thread goes on
                error = raised
            with self._changed:
                self._running.remove(ticket)
            _resolve(ticket, result, error)

    def _next(self) -> Ticket | None:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            if self._stopping:
                return None
            ticket = self._waiting.popleft()
            self._running.append(ticket)
            return ticket


def _resolve(ticket: Ticket, result: Any = None, error: BaseException | None = None) -> None:
    # A request that was torn down has cancelled the future itself, and nobody waits for it.
    if not ticket.future.set_running_or_notify_cancel():
        return
    if error is None:
        ticket.future.set_result(result)
    else:
        ticket.future.set_exception(error)
