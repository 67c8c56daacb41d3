"""Many clients at once: every job is done, none is lost or doubled, and `/info/` is answered all the while."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from info_latency import info_latencies, percentile_99
from soak.job_client import JobClient
from soak.place import Place
from soak.row import Row

JOBS = 64
JOBS_EACH = 2
LIMIT_MS = 300
SECONDS = 3600
PAUSE_S = 0.5
"""Between two questions of a client how its job is: as a page does that shows it to a person."""


@dataclass(frozen=True)
class Asked:
    """One job: the scan and threshold that were asked for, and what came of it."""

    scan: str
    threshold: float
    state: dict[str, Any]
    report: dict[str, Any]
    refused: int


def ask_all(url: str, scans: Sequence[Path], clients: int) -> list[Asked]:
    """Have every scan examined by a job, with a threshold of its own, by so many clients at once that each have several."""
    server = JobClient(url)

    def ask(share: Sequence[int]) -> list[Asked]:
        taken = [(number, *server.submit_when_there_is_room(scans[number], {"threshold": threshold(number)})) for number in share]
        return [
            Asked(scans[number].name, threshold(number), server.done(job, SECONDS, PAUSE_S), server.get(f"/{job}/report").json(), refused)
            for number, job, refused in taken
        ]

    with ThreadPoolExecutor(clients) as pool:
        shares = [range(first, len(scans), clients) for first in range(clients)]
        return [asked for several in pool.map(ask, shares) for asked in several]


def threshold(number: int) -> float:
    """One that no other job has."""
    return round(0.3 + 0.001 * number, 3)


def problems(asked: Sequence[Asked], listed: Sequence[str], scans: Sequence[Path]) -> list[str]:
    """What was lost, doubled or mixed up; `listed` are the ids that the server told at the end, none having been there before."""
    found = []
    ids = [one.state["id"] for one in asked]
    if len(asked) != len(scans) or len(set(ids)) != len(scans):
        found.append(f"{len(scans)} jobs were asked for, and {len(set(ids))} answered")
    if Counter(listed) != Counter(ids):
        found.append("the server lists other jobs than it accepted")
    for one in asked:
        if (one.report["scan"], one.report["threshold"]["value"]) != (one.scan, one.threshold):
            found.append(f"job {one.state['id']} has the result of another")
    return found


def load(place: Place, jobs: int = JOBS) -> Row:
    """Run the clients, of two jobs each, in another process, and ask for `/info/` ten times a second meanwhile."""
    clients = max(1, jobs // JOBS_EACH)
    scans = [place.unseen() for _ in range(jobs)]
    done = threading.Event()
    with place.server() as server, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
        asking = others.submit(ask_all, server.url, scans, clients)
        asking.add_done_callback(lambda _: done.set())
        latencies = info_latencies(server.url, done, 0.1)
        asked = asking.result()
        found = problems(asked, JobClient(server.url).all(), scans)
    p99 = percentile_99(latencies)
    return Row(
        name="load",
        what=f"{clients} concurrent clients submitting {jobs} jobs (small scans)",
        demand=f"all done, none lost or doubled, `/info/` p99 ≤ {LIMIT_MS} ms",
        figure=f"{len(asked)} done, {len(found)} lost or doubled, `/info/` p99 {p99:.0f} ms of {len(latencies)} answers",
        passed=not found and p99 <= LIMIT_MS,
        details={
            "problems": found, "info_p99_ms": round(p99, 1), "info_max_ms": round(max(latencies), 1), "info_answers": len(latencies),
            "refused_for_a_full_queue": sum(one.refused for one in asked), "computed": sum(not one.state["from_memory"] for one in asked),
        },
    )  # fmt: skip
