"""Job after job: the server does not grow."""

from __future__ import annotations

import psutil
from soak.job_client import JobClient
from soak.place import Place
from soak.row import Row

JOBS = 200
LIMIT_MB = 50
WARM = 5
"""Jobs after which everything is loaded that a job needs."""
CACHE_MB = "16"
"""Memory for repeated questions, which grows up to its limit and so is full here from the second job on."""


def job_after_job(place: Place, jobs: int) -> list[float]:
    """Megabytes of memory that the server has after each of so many jobs, all of which were done."""
    used = []
    with place.server(UMADDPM_CACHE_MB=CACHE_MB) as server:
        process, client = psutil.Process(server.pid), JobClient(server.url)
        for _ in range(jobs):
            scan = place.unseen()
            client.done(client.submit(scan), pause=0.1)
            scan.unlink()
            used.append(process.memory_info().rss / 1e6)
    return used


def memory(place: Place, jobs: int = JOBS) -> Row:
    used = job_after_job(place, jobs)
    growth = used[-1] - used[WARM - 1]
    return Row(
        name="memory",
        what=f"{jobs} jobs in a row",
        demand=f"memory growth ≤ {LIMIT_MB} MB",
        figure=f"{growth:+.0f} MB from job {WARM} ({used[WARM - 1]:.0f} MB) to job {jobs}; highest {max(used):.0f} MB",
        passed=growth <= LIMIT_MB,
        details={"megabytes": [round(one, 1) for one in used], "cache_mb": CACHE_MB},
    )
