"""Eight clients at once, with two jobs each: all are done, none is lost or doubled."""

from soak.job_client import JobClient
from soak.load import ask_all, problems


def test_many_clients_lose_no_job(server, unseen_scan):
    jobs = JobClient(server.url)
    before = set(jobs.all())
    scans = [unseen_scan() for _ in range(8)] * 2
    asked = ask_all(server.url, scans, clients=8)
    assert problems(asked, [job for job in jobs.all() if job not in before], scans) == []
    assert sum(not one.state["from_memory"] for one in asked) == 8, "one scan at two thresholds is examined once"
