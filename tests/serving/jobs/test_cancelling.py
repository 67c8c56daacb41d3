"""What waits and what runs can be cancelled, and the server answers meanwhile."""

import time

import requests


def test_queued_job_is_cancelled_at_once_and_a_running_one_soon(server, jobs, long_scan, unseen_scan):
    running, queued, last = jobs.submit(long_scan()), jobs.submit(unseen_scan()), jobs.submit(unseen_scan())
    jobs.running(running)
    assert [jobs.state(job)["position"] for job in (running, queued, last)] == [None, 1, 2]
    assert jobs.get(f"/{queued}/mask").status_code == 409

    cancelled = jobs.delete(queued)
    assert cancelled.status_code == 200 and cancelled.json()["state"] == "cancelled"
    assert jobs.state(running)["state"] == "running"
    assert jobs.state(last)["position"] == 1

    assert requests.get(f"{server.url}/info/", timeout=60).status_code == 200
    assert requests.get(f"{server.url}/ready", timeout=60).json()["running"] == 1
    assert jobs.state(running)["state"] == "running"

    before = time.monotonic()
    answer = jobs.delete(running)
    assert answer.status_code in (200, 202)
    assert answer.json()["state"] == "cancelled" or answer.json()["cancelling"]
    state = jobs.until(running, lambda state: state["state"] == "cancelled")
    # Two seconds on a machine that is not busy; this one may be.
    assert time.monotonic() - before < 15
    assert "mask" not in state["links"] and state["error"] is None
    assert jobs.delete(running).status_code == 204
    assert jobs.done(last)["state"] == "done"


def test_synchronous_requests_and_jobs_share_the_queue(server, jobs, unseen_scan):
    scan = unseen_scan()
    first = jobs.submit(scan)
    assert server.ask(file=unseen_scan(), output="json").status_code == 200
    assert jobs.state(first)["state"] == "done"


def test_seconds_left_are_told_once_a_detection_has_been_made(jobs, long_scan, unseen_scan):
    jobs.done(jobs.submit(unseen_scan()))
    running, queued = jobs.submit(long_scan()), jobs.submit(unseen_scan())
    jobs.running(running)
    seconds = [jobs.state(job)["eta_seconds"] for job in (running, queued)]
    assert 0 <= seconds[0] <= seconds[1] and seconds[1] > 0
    for job in (queued, running):
        jobs.delete(job)
    assert jobs.until(running, lambda state: state["state"] == "cancelled")["eta_seconds"] is None
