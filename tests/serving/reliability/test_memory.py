"""Job after job: the server keeps nothing of those that are done."""

from soak.memory import LIMIT_MB, WARM, job_after_job


def test_a_server_does_not_grow_with_its_jobs(place):
    used = job_after_job(place, WARM + 3)
    assert used[-1] - used[WARM - 1] <= LIMIT_MB, used
