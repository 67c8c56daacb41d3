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
from umaddpm_core.serving.jobs.ownership import is_open_to
from umaddpm_core.serving.jobs.progress import READING, Progress
from umaddpm_core.serving.jobs.queue import Stopping, Ticket, WorkQueue
from umaddpm_core.serving.jobs.store import INTERRUPTED, JobStore
from umaddpm_core.serving.parameters import Parameters
from umaddpm_core.serving.request_facts import belongs_to
from umaddpm_core.serving.scan_identity import identity_of
from umaddpm_core.serving.security.tokens import Holder

Infer = Callable[..., Any]
"""Examines a scan: `infer(scan, parameters, results=…, cancellation=…, progress=…, worker=…)` writes into `results`, and
returns the report."""
Told = Callable[[Job, BaseException | None, dict[str, Any]], None]
"""Told of a job that has ended: by what error, if any, and the report, empty where there is none."""

logger = logging.getLogger(__name__)


class NotReady(InputError):
    """The job is not in a state in which it can give what was asked for."""


class Jobs:
    """The jobs of one server.

    Args:
        queue: which other work of the server goes through as well.
        store: with the jobs of earlier servers.
        infer: examines one scan.
        told: of every job that has ended, those that an earlier server left unfinished included.
    """

    def __init__(self, queue: WorkQueue, store: JobStore, infer: Infer, told: Told) -> None:
        self._queue, self._store, self._infer, self._told = queue, store, infer, told
        self._tickets: dict[str, Ticket] = {}
        self._changing = threading.RLock()
        for job in store.interrupted:
            told(job, None, {})

    def submit(
        self, find_scan: Callable[[Path], Path], parameters: Parameters, image: str = "", holder: Holder | None = None
    ) -> Job:
        """Take a job.

        Args:
            find_scan: given a folder in which an upload may be kept until the job ends; returns the scan.
            parameters: of the detection.
            image: id in the datastore, where the scan is there.
            holder: who asks, and whose the job is from now on; None where the server has no tokens.

        Raises:
            InputError: what `find_scan` raises; then nothing is left behind.
            QueueFull: as many detections wait as may.
            Stopping: the server is being stopped.
        """
        self._queue.require_room()
        job = Job(scan="", parameters=asked(parameters), image=image, owner=holder and holder.name)
        self._store.add(job)
        try:
            scan = find_scan(self._store.scan_folder(job))
            job.scan, job.digest = identity_of(scan) if scan.is_file() else (scan.name, "")
            self._store.save(job)
            progress, cancellation = Progress(), Cancellation()

            def work(worker: int) -> dict[str, Any]:
                return self._work(job, scan, parameters, image, cancellation=cancellation, progress=progress, worker=worker)

            # Held until the ticket is noted, or a quick job could end before it.
            with self._changing:
                self._tickets[job.id] = self._queue.submit(
                    work, cancellation, progress, lambda ticket: self._end(job, ticket), about=image or job.scan
                )
        except BaseException:
            self._store.remove(job)
            raise
        self._store.sweep()
        return job

    def get(self, job_id: str, holder: Holder | None = None) -> Job:
        """The job of this id.

        Args:
            holder: who asks; None where the server has no tokens.

        Raises:
            NotFound: there is none, or none any more, or it is somebody else's.
        """
        self._store.sweep()
        job = self._store.get(job_id)
        if job is None or not is_open_to(job, holder):
            raise NotFound(f"There is no job {job_id[:40]!r} on this server; it may have expired.")
        return job

    def all(self, holder: Holder | None = None) -> list[Job]:
        """Every job that the holder may see, the newest first."""
        self._store.sweep()
        return [job for job in self._store.all() if is_open_to(job, holder)]

    def describe(self, job: Job) -> dict[str, Any]:
        """What a client is told of a job, but for links."""
        described = job.as_dict()
        del described["size"], described["digest"]
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

    def tickets(self, belongs: Callable[[Job], bool]) -> list[Ticket]:
        """The work of the jobs that wait or run and of which `belongs` is true."""
        with self._changing:
            jobs = [self._store.get(job_id) for job_id in self._tickets]
            return [self._tickets[job.id] for job in jobs if job is not None and belongs(job)]

    def remove(self, belongs: Callable[[Job], bool]) -> list[str]:
        """Delete the ended jobs of which `belongs` is true, with their results; their ids."""
        with self._changing:
            gone = [job for job in self._store.all() if job.state.final and belongs(job)]
            for job in gone:
                self._store.remove(job)
        return [job.id for job in gone]

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
                    self._told(job, None, {})
        self._store.close()

    def _work(
        self, job: Job, scan: Path, parameters: Parameters, image: str, *, cancellation: Cancellation, progress: Progress, worker: int
    ) -> dict[str, Any]:
        """One job from its start to its results and the report; raises what keeps it from them."""
        belongs_to(job=job.id)
        with self._changing:
            job.begin()
            self._store.save(job)
        report = self._infer(
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
        return report

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
        self._told(job, error, {} if error else ticket.future.result())
        self._store.sweep()
