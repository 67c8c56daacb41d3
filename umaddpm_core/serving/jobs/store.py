"""The folder in which jobs and their results outlive the server."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from umaddpm_core.errors import InputError
from umaddpm_core.serving.jobs.job import RESULTS, Job, State

MOST_JOBS = 1000
"""Ended jobs that are kept at most, however small they are."""

INTERRUPTED = "The server was stopped before this job was done; send it again."

logger = logging.getLogger(__name__)


class JobStore:
    """Jobs by id, each in a folder of its own below `folder`, which only one server at a time may use.

    Args:
        folder: made where it is missing, readable by its owner alone, as it holds scans of patients.
        hours: how long an ended job is kept.
        megabytes: the most that all jobs together may take.

    What another server process left as queued or running is `interrupted` from now on, and stands in `interrupted`.

    Raises:
        InputError: the folder cannot be used, or another server uses it.
    """

    def __init__(self, folder: Path, *, hours: float, megabytes: float) -> None:
        self._folder, self._seconds, self._bytes = folder, hours * 3600, megabytes * 1e6
        self._changing = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._in_use = FileLock(folder / ".lock")
            self._in_use.acquire(timeout=0)
        except Timeout:
            raise InputError(f"Another server keeps its jobs in {folder}; give this one a folder by UMADDPM_JOBS.") from None
        except OSError as error:
            raise InputError(f"Jobs have to be kept in {folder}, which cannot be used ({error.strerror}).") from error
        self.interrupted: list[Job] = []
        self._jobs = self._read()
        self.sweep()

    def add(self, job: Job) -> None:
        """Keep a new job; `scan_folder` is there from now on."""
        with self._changing:
            self.scan_folder(job).mkdir(parents=True, mode=0o700)
            self._jobs[job.id] = job
            self.save(job)

    def save(self, job: Job) -> None:
        """Write the state of a job; one that was removed meanwhile stays removed."""
        with self._changing:
            if job.id not in self._jobs:
                return
            path = self._place(job) / "job.json"
            part = path.with_suffix(".part")
            part.write_text(json.dumps(job.as_dict(), indent=2) + "\n")
            os.replace(part, path)
            if job.state.final:
                shutil.rmtree(self.scan_folder(job), ignore_errors=True)
                shutil.rmtree(self.unfinished(job), ignore_errors=True)
                if job.state != State.DONE:
                    shutil.rmtree(self._place(job) / "results", ignore_errors=True)

    def get(self, job_id: str) -> Job | None:
        """The job of this id, or None; the id is looked up and never made a path."""
        with self._changing:
            return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        with self._changing:
            return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)

    def remove(self, job: Job) -> None:
        """Forget a job and delete its files."""
        with self._changing:
            self._jobs.pop(job.id, None)
            shutil.rmtree(self._place(job), ignore_errors=True)

    def scan_folder(self, job: Job) -> Path:
        """Where an uploaded scan waits for its turn."""
        return self._place(job) / "scan"

    def unfinished(self, job: Job) -> Path:
        """Where results are written before all of them are there."""
        return self._place(job) / "results.part"

    def publish(self, job: Job) -> None:
        """Make the unfinished results those of the job."""
        part = self.unfinished(job)
        job.size = sum(file.stat().st_size for file in part.iterdir())
        os.replace(part, self._place(job) / "results")

    def result(self, job: Job, name: str) -> Path:
        """The file of a result, `name` being one of `RESULTS`."""
        return self._place(job) / "results" / RESULTS[name]

    def sweep(self) -> None:
        """Delete ended jobs that are too old, and the oldest while all together are too many or too large."""
        with self._changing:
            ended = sorted((job for job in self._jobs.values() if job.state.final), key=lambda job: job.ended or 0)
            size = sum(job.size for job in ended)
            for number, job in enumerate(ended):
                left = len(ended) - number
                expired = time.time() - (job.ended or 0) > self._seconds
                if not expired and not (left > 1 and (size > self._bytes or left > MOST_JOBS)):
                    break
                size -= job.size
                self.remove(job)

    def close(self) -> None:
        """Let another server have the folder."""
        self._in_use.release()

    def _place(self, job: Job) -> Path:
        return self._folder / job.id

    def _read(self) -> dict[str, Job]:
        jobs = {}
        for place in self._folder.iterdir():
            if not re.fullmatch(r"[0-9a-f]{32}", place.name):
                continue
            try:
                job = Job.from_dict(json.loads((place / "job.json").read_text()))
                if job.id != place.name:
                    raise InputError("The folder has the name of another job.")
            except (OSError, ValueError) as error:
                logger.warning("What is left of the job %s cannot be read (%s) and is deleted.", place.name, error)
                shutil.rmtree(place, ignore_errors=True)
                continue
            jobs[job.id] = job
        self._jobs = jobs
        for job in jobs.values():
            if not job.state.final or (job.state == State.DONE and not self.result(job, "report").is_file()):
                job.end(State.INTERRUPTED, INTERRUPTED)
                self.save(job)
                self.interrupted.append(job)
        return jobs
