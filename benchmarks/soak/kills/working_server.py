"""A server that is killed while it examines a scan and saves labels."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from dataclasses import dataclass, field

import requests
from soak.job_client import JobClient
from soak.kills.reviewer import Reviewer
from soak.place import Place, kill
from soak.scans import unseen_copy

from umaddpm_core.artefact import Artefact

IMAGES = 3


@dataclass
class Kill:
    """One end of a server: during which phase of a detection, and what its successor found amiss."""

    phase: str
    labels: int
    restarted_s: float = 0.0
    problems: list[str] = field(default_factory=list)


class Promises:
    """What the servers of one place have told clients so far, and whether the one that runs now keeps it."""

    def __init__(self, place: Place, reviewer: Reviewer) -> None:
        self._place, self._reviewer = place, reviewer
        self._weights = Artefact.load(place.model).digest()
        self._masks: dict[str, str] = {}
        self._unfinished: set[str] = set()

    def done(self, url: str, job: str) -> None:
        """Note the result of a job."""
        self._masks[job] = _digest(JobClient(url).get(f"/{job}/mask").content)

    def unfinished(self, job: str) -> None:
        """Note a job that was on its way when the server was killed."""
        self._unfinished.add(job)

    def broken(self, url: str) -> list[str]:
        """What is not as was told."""
        return [*self._jobs(url), *self._reviewer.missing(url), *self._images(url), *self._model()]

    def _jobs(self, url: str) -> list[str]:
        jobs, found = JobClient(url), []
        for job in sorted(self._unfinished):
            if (state := jobs.state(job)["state"]) == "done":
                self.done(url, job)
            elif state != "interrupted":
                found.append(f"a job that was running is {state}")
            elif [file.name for file in (self._place.work / "jobs" / job).iterdir()] != ["job.json"]:
                found.append("an interrupted job has left files behind")
        self._unfinished -= self._masks.keys()
        for job, mask in self._masks.items():
            if _digest(jobs.get(f"/{job}/mask").content) != mask:
                found.append("the mask of a finished job has changed")
        if set(jobs.all()) != self._masks.keys() | self._unfinished:
            found.append("jobs were lost or doubled")
        return found

    def _images(self, url: str) -> list[str]:
        objects = requests.get(f"{url}/datastore/", params={"output": "all"}, timeout=60).json()["objects"]
        found = [] if set(objects) == set(self._reviewer.images) else ["scans are missing from the datastore"]
        aside = list(self._place.studies.glob("*.unreadable.json"))
        return found + (["the index of the datastore was damaged"] if aside else [])

    def _model(self) -> list[str]:
        return [] if Artefact.load(self._place.model).digest() == self._weights else ["the model file has changed"]


def kill_working_server(place: Place, times: int, moments: random.Random) -> list[Kill]:
    """Kill the server so often, each time while a job is examined and a reviewer saves one label after the other.

    After the last kill the server is started once more, and a job has to be done.
    """
    scans = [unseen_copy(place.scan, place.studies) for _ in range(IMAGES - 1)]
    reviewer = Reviewer([place.image, *(scan.name.removesuffix(".nii.gz") for scan in scans)])
    promises, kills, whole = Promises(place, reviewer), [], 0.0
    for number in range(times + 1):
        started = time.monotonic()
        with place.server() as server:
            restarted_s, jobs = time.monotonic() - started, JobClient(server.url)
            if kills:
                kills[-1].restarted_s, kills[-1].problems = round(restarted_s, 1), promises.broken(server.url)
            if number in (0, times):
                state = jobs.done(jobs.submit(place.unseen()))
                promises.done(server.url, state["id"])
                whole = state["ended"] - state["started"]
            if number == times:
                break
            job = jobs.submit(place.unseen())
            promises.unfinished(job)
            jobs.running(job)
            saving = threading.Thread(target=reviewer.save_until_the_server_is_gone, args=(server.url,), daemon=True)
            saving.start()
            time.sleep(moments.uniform(0.05, whole))
            state = jobs.state(job)
            kill(server)
            saving.join()
            kills.append(Kill(state["phase"], reviewer.confirmed_since_last_time()))
    return kills


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
