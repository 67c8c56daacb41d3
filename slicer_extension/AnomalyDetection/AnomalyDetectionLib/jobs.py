"""Detections from the request to the files, with their progress: no Qt, no MRML."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from .client import BrokenOff, Busy, Cancellation, Client, ClientError, JobState, Refused, Results, Unreachable
from .worker import Worker

POLL_S = 0.5
FIRST_POLL_S = 0.1
"""After which the first question comes; every pause is twice the one before, up to `POLL_S`."""
PATIENCE_S = 90.0
"""How long a server that has our job may be gone, such as while it is started again."""


class State(str, Enum):
    """Where a detection stands. The last three are final."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    QUEUED = "queued on the server"
    RUNNING = "running"
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Progress:
    """A detection at one moment.

    Attributes:
        number: of the detection, as `Jobs.submit` returned it.
        note: what it does or waits for, in words; where it failed, why.
        share: of what the state does, 0–1.
        step, steps: of the work on the server, the first being 1; 0 where it has not begun or does not say.
        position: in the server's queue, 1 being next.
        seconds_left: as the server estimates.
        error: where it failed, with the kind of failure.
        results: where it is done.
    """

    number: int
    state: State = State.WAITING
    note: str = ""
    share: float = 0.0
    step: int = 0
    steps: int = 0
    position: int | None = None
    seconds_left: float | None = None
    error: Exception | None = None
    results: Results | None = None


@dataclass
class Order:
    """One detection that was asked for.

    Attributes:
        client: of the server that is asked.
        scan: file to send, or id of an image of the server.
        folder: receives the files of the result.
        has_jobs: whether the server has jobs (`ServerStatus.has_jobs`); else one request does it all.
        parameters, file_name: as for `Client.submit`.
    """

    client: Client
    scan: Path | str
    folder: Path
    has_jobs: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    file_name: str | None = None


class Jobs:
    """The detections of one user interface, one after the other.

    Args:
        worker: which does them; its `poll` delivers what is told.
        poll_s: seconds between two questions to the server.
        patience_s: see `PATIENCE_S`.
    """

    def __init__(self, worker: Worker, poll_s: float = POLL_S, patience_s: float = PATIENCE_S) -> None:
        self._worker, self._poll_s, self._patience_s = worker, poll_s, patience_s
        self._numbers = itertools.count(1)
        self._unfinished: dict[int, Cancellation] = {}

    def submit(self, order: Order, changed: Callable[[Progress], None]) -> int:
        """Ask for a detection.

        Args:
            order: the detection.
            changed: told of every change by the worker's `poll`, first that it waits; after a final state nothing more.

        Returns:
            Its number.
        """
        number = next(self._numbers)
        run = _Run(order, number, lambda progress: self._worker.tell(lambda: changed(progress)), self._poll_s, self._patience_s)

        def ended(**last: Any) -> None:
            self._unfinished.pop(number, None)
            changed(replace(run.progress, **last))

        run.tell(State.WAITING)
        self._unfinished[number] = self._worker.call(
            run,
            done=lambda results: ended(state=State.DONE, share=1.0, note="", seconds_left=None, results=results),
            failed=lambda error: ended(state=State.FAILED, note=_sentence(error), seconds_left=None, error=error),
            cancelled=lambda: ended(state=State.CANCELLED, note="", seconds_left=None),
        )
        return number

    def cancel(self, number: int) -> None:
        """Stop a detection in whatever it does; one that has ended stays as it is."""
        if number in self._unfinished:
            self._unfinished[number].set()

    @property
    def unfinished(self) -> tuple[int, ...]:
        """Numbers of the detections whose end has not been told yet."""
        return tuple(self._unfinished)


class _Run:
    """One detection in the worker's thread."""

    def __init__(self, order: Order, number: int, told: Callable[[Progress], None], poll_s: float, patience_s: float) -> None:
        self.order, self.progress = order, Progress(number)
        self._told, self._poll_s, self._patience_s = told, poll_s, patience_s

    def __call__(self, cancellation: Cancellation) -> Results:
        if not self.order.has_jobs:
            return self._in_one_request(cancellation)
        job = self._submitted(cancellation)
        try:
            job = self._finished(job, cancellation)
            self.tell(State.FETCHING)
            return self.order.client.fetch(job, self.order.folder, cancellation=cancellation, received=self._share(State.FETCHING))
        finally:
            # Cancelled, or fetched: nothing of a patient stays on the server longer than it has to.
            with suppress(ClientError):
                self.order.client.cancel_job(job.id)

    def tell(self, state: State, **facts: Any) -> None:
        """Note and tell a change; what is not said is as at the beginning."""
        progress = Progress(self.progress.number, state, **facts)
        if progress != self.progress or state == State.WAITING:
            self.progress = progress
            self._told(progress)

    def _share(self, state: State) -> Callable[[float], None]:
        """Tells of a transfer by whole percents."""
        return lambda share: self.tell(state, share=round(share, 2))

    def _submitted(self, cancellation: Cancellation) -> JobState:
        """The job, as soon as the server has room for it."""
        order = self.order
        while True:
            self.tell(State.UPLOADING)
            try:
                return order.client.submit(
                    order.scan, order.parameters, file_name=order.file_name, cancellation=cancellation, sent=self._share(State.UPLOADING)
                )
            except Busy as busy:
                self.tell(State.WAITING, note=str(busy), seconds_left=busy.retry_after)
                cancellation.wait(busy.retry_after)

    def _finished(self, job: JobState, cancellation: Cancellation) -> JobState:
        """The job, once it is done.

        Raises:
            ClientError: it ended otherwise, or the server is gone for longer than our patience.
        """
        last_seen, pause = time.monotonic(), min(FIRST_POLL_S, self._poll_s)
        while not job.ended:
            self._tell_of(job)
            cancellation.wait(pause)
            pause = min(2 * pause, self._poll_s)
            try:
                job, last_seen = self.order.client.job(job.id, cancellation), time.monotonic()
            except (Unreachable, BrokenOff, Busy) as error:
                if time.monotonic() - last_seen > self._patience_s:
                    raise
                self.tell(State.QUEUED, note=f"{error} Asking again.")
        if job.state == "cancelled":
            raise Refused("Somebody else cancelled the job on the server.", 409)
        if job.state != "done":
            raise Refused(job.error or f"The job ended as {job.state}.", 409)
        return job

    def _tell_of(self, job: JobState) -> None:
        state = State.RUNNING if job.state == "running" else State.QUEUED
        self.tell(
            state, note=job.phase, share=job.share, step=job.step, steps=job.steps, position=job.position, seconds_left=job.seconds_left
        )

    def _in_one_request(self, cancellation: Cancellation) -> Results:
        order = self.order

        def sent(share: float) -> None:
            self._share(State.UPLOADING)(share) if share < 1 else self.tell(State.RUNNING, note="the server does not say how far it is")

        self.tell(State.UPLOADING)
        return order.client.infer(
            order.scan, order.folder, order.parameters, file_name=order.file_name, cancellation=cancellation,
            sent=sent, received=self._share(State.FETCHING),
        )  # fmt: skip


def _sentence(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error)
    return f"This went wrong on this computer: {error or type(error).__name__}."
