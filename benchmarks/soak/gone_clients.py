"""Clients that hang up and jobs that are cancelled, at any moment of a detection: the work stops, other jobs go on."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from soak.job_client import JobClient
from soak.place import Place
from soak.row import Row
from soak.scans import WHOLE_HEAD

TIMES = 20
LIMIT_S = 2.0


@dataclass(frozen=True)
class Gone:
    """One that left: how, after how many seconds of the detection, and how long the work went on."""

    how: str
    after_s: float
    stopped_s: float


def start_inference(url: str, scan: Path) -> http.client.HTTPConnection:
    """Send a request for a detection completely, and leave the answer unread."""
    address = urlsplit(url)
    prepared = requests.Request("POST", f"{url}/infer/anomaly", files={"file": (scan.name, scan.read_bytes())}).prepare()
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    connection.request("POST", "/infer/anomaly?output=json", body=prepared.body, headers=dict(prepared.headers))
    return connection


def hang_up(url: str, scan: Path) -> Callable[[], None]:
    """Start a synchronous request; what is returned closes its connection."""
    connection = start_inference(url, scan)
    while requests.get(f"{url}/ready", timeout=60).json()["running"] == 0:
        time.sleep(0.02)
    return connection.close


def cancel(url: str, scan: Path) -> Callable[[], None]:
    """Start a job; what is returned cancels it."""
    jobs = JobClient(url)
    job = jobs.submit(scan)
    jobs.running(job)
    return lambda: jobs.delete(job)


def leave(url: str, start: Callable, scan: Path, follower: Path, after_s: float) -> Gone | None:
    """Start work on `scan`, leave it after so many seconds, and see to it that the job behind it is done.

    Returns:
        How long the work went on, until the next had its turn; None where it had ended before.
    """
    jobs = JobClient(url)
    stop = start(url, scan)
    behind = jobs.submit(follower)
    time.sleep(after_s)
    too_late = jobs.state(behind)["state"] != "queued"
    left = time.monotonic()
    stop()
    jobs.until(behind, lambda state: state["state"] in ("running", "done"), pause=0.01)
    stopped_s = time.monotonic() - left
    jobs.done(behind)
    return None if too_late else Gone(start.__name__, round(after_s, 2), round(stopped_s, 3))


def gone_clients(place: Place, times: int = TIMES, seed: int = 0) -> Row:
    """Half of them hang up, half cancel, at moments drawn from the whole of a detection."""
    moments = random.Random(seed)
    gone: list[Gone] = []
    with place.server() as server:
        jobs = JobClient(server.url)
        first = jobs.done(jobs.submit(place.unseen(WHOLE_HEAD)), 600)
        whole = first["ended"] - first["started"]
        while len(gone) < times:
            start, after_s = (hang_up, cancel)[len(gone) % 2], moments.uniform(0, whole)
            if left := leave(server.url, start, place.unseen(WHOLE_HEAD), place.unseen(), after_s):
                gone.append(left)
            else:
                # The machine is less busy than it was.
                whole = after_s
    worst = max(one.stopped_s for one in gone)
    return Row(
        name="gone-clients",
        what="client of a synchronous `/infer` gone in the middle; job cancelled",
        demand=f"work stops within {LIMIT_S:g} s; other jobs go on",
        figure=f"{times} at random moments: stopped after {worst:.2f} s at most, and the job behind was done each time",
        passed=worst <= LIMIT_S,
        details={"gone": [vars(one) for one in gone], "drawn_up_to_s": round(whole, 1)},
    )
