"""Jobs from the request to the result: the queue does the work, the store keeps what came of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from umaddpm_core.errors import Cancelled, InputError, NotFound
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.job import Job, State, asked
from umaddpm_core.serving.jobs.progress import READING, Progress
from umaddpm_core.serving.jobs.queue import Stopping, Ticket, WorkQueue
from umaddpm_core.serving.jobs.store import INTERRUPTED, JobStore
from umaddpm_core.serving.parameters import Parameters
from umaddpm_core.serving.request_facts import belongs_to

Infer = Callable[..., Any]
"""Examines a scan: `infer(scan, parameters, results=…, cancellation=…, progress=…, worker=…)` writes into `results`."""

logger = logging.getLogger(__name__)


class NotReady(InputError):
    """The job is not in a state in which it can give what was asked for."""


class Jobs:
    """The jobs of one server.

    Args:
        queue: which other work of the server goes through as well.
        store: with the jobs of earlier servers.
        infer: examines one scan.
    """

    def __init__(self, queue: WorkQueue, store: JobStore, infer: Infer) -> None:
        self._queue, self._store, self._infer = queue, store, infer
        self._tickets: dict[str, Ticket] = {}
        self._changing = threading.RLock()

    def submit(self, find_scan: Callable[[Path], Path], parameters: Parameters, image: str = "") -> Job:
        """Take a job.

        Args:
            find_scan: given a folder in which an upload may be kept until the job ends; returns the scan.
            parameters: of the detection.
            image: id in the datastore, where the scan is there.

        Raises:
            InputError: what `find_scan` raises; then nothing is left behind.
            QueueFull: as many detections wait as may.
            Stopping: the server is being stopped.
        """
        self._queue.require_room()
        job = Job(scan="", parameters=asked(parameters))
        self._store.add(job)
        try:
            scan = find_scan(self._store.scan_folder(job))
            job.scan = scan.name
            self._store.save(job)
            progress, cancellation = Progress(), Cancellation()

            def work(worker: int) -> None:
                self._work(job, scan, parameters, image, cancellation=cancellation, progress=progress, worker=worker)

            # Held until the ticket is noted, or a quick job could end before it.
            with self._changing:
                self._tickets[job.id] = self._queue.submit(work, cancellation, progress, lambda ticket: self._end(job, ticket))
        except BaseException:
            self._store.remove(job)
            raise
        self._store.sweep()
        return job

    def get(self, job_id: str) -> Job:
        """The job of this id.

        Raises:
            NotFound: there is none, or none any more.
        """
        self._store.sweep()
        job = self._store.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id[:40]!r} on this server; it may have expired.")
        return job

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        self._store.sweep()
        return self._store.all()

    def describe(self, job: Job) -> dict[str, Any]:
        """What a client is told of a job, but for links."""
        described = job.as_dict()
        described.pop("size")
        ticket = self._tickets.get(job.id)
        progress = ticket.progress if ticket else Progress()
        described |= progress.as_dict()
        described["position"] = self._queue.position(ticket) if ticket else None
        seconds = self._queue.seconds_left(ticket) if ticket and not job.state.final else None
        described["eta_seconds"] = None if seconds is None else round(seconds, 1)
        described["cancelling"] = ticket is not None and not job.state.final and ticket.cancellation.is_set()
        if job.state == State.RUNNING and progress.phase is None:
            described |= {"phase": READING, "step": 1}
        if job.state == State.DONE:
            described |= {"phase": "done", "step": described["steps"], "progress": 1.0}
        return described

    def cancel_or_remove(self, job: Job) -> bool:
        """Cancel a job that waits or runs, delete one that has ended; whether it was deleted."""
        with self._changing:
            ticket = self._tickets.get(job.id)
            if job.state.final:
                self._store.remove(job)
                return True
        if ticket is not None:
            self._queue.cancel(ticket)
        return False

    def result(self, job: Job, name: str) -> Path:
        """The file of a result.

        Raises:
            NotReady: the job is not done.
        """
        if job.state != State.DONE:
            raise NotReady(f"This job is {job.state.value}; only one that is done has results.")
        return self._store.result(job, name)

    def sweep(self) -> None:
        """Delete what is too old or too much."""
        self._store.sweep()

    def close(self) -> None:
        """Report what still runs as interrupted, and let go of the folder; the queue has been stopped before."""
        with self._changing:
            for job in self._store.all():
                if not job.state.final:
                    job.end(State.INTERRUPTED, INTERRUPTED)
                    self._store.save(job)
        self._store.close()

    def _work(
        self, job: Job, scan: Path, parameters: Parameters, image: str, *, cancellation: Cancellation, progress: Progress, worker: int
    ) -> None:
        """One job from its start to its results; raises what keeps it from them."""
        belongs_to(job=job.id)
        with self._changing:
            job.begin()
            self._store.save(job)
        self._infer(
            scan,
            parameters,
            image=image,
            results=self._store.unfinished(job),
            cancellation=cancellation,
            progress=progress,
            worker=worker,
        )
        if cancellation.is_set():
            raise Cancelled
        job.from_memory = progress.phase is None
        self._store.publish(job)

    def _end(self, job: Job, ticket: Ticket) -> None:
        """Called by the queue when the work has ended, in whichever way."""
        error = ticket.future.exception()
        with self._changing:
            self._tickets.pop(job.id, None)
            if job.state.final:
                return
            if error is None:
                job.end(State.DONE)
            elif isinstance(error, Stopping):
                job.end(State.INTERRUPTED, INTERRUPTED)
            elif isinstance(error, Cancelled):
                job.end(State.CANCELLED)
            elif isinstance(error, InputError):
                job.end(State.FAILED, str(error))
            else:
                logger.error("Job %s failed", job.id, exc_info=error)
                job.end(State.FAILED, f"The server failed on this scan ({type(error).__name__}); its log says where.")
            self._store.save(job)
        self._store.sweep()
