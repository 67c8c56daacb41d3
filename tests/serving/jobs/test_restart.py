"""A full queue, a stop, and what a server knows of the jobs of the one before."""

import threading
import time

import requests


def test_full_queue_is_refused_and_a_restart_keeps_what_was_done(serve, client, long_scan, tmp_path, port):
    settings = {"UMADDPM_QUEUE": "2"}
    with serve(tmp_path / "home", **settings) as server:
        jobs = client(server.url)
        done = jobs.submit(image=server.image, params={"threshold": 0.02})
        mask = (jobs.done(done), jobs.get(f"/{done}/mask").content)[1]
        running = jobs.submit(long_scan())
        jobs.running(running)
        queued = [jobs.submit(image=server.image), jobs.submit(long_scan())]
        for refused in (jobs.post(image=server.image), server.ask(image=server.image, output="json")):
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.json()["detail"].startswith("The server is busy") and "\n" not in refused.json()["detail"]
        assert len(jobs.get().json()["jobs"]) == 4
    # It ended by itself, before it would have been killed.
    assert "Application shutdown complete" in server.log.read_text()

    seen = []
    watch = threading.Thread(target=watch_start, args=(f"http://127.0.0.1:{port}", seen), daemon=True)
    watch.start()
    with serve(tmp_path / "home", port, **settings) as server:
        watch.join(60)
        jobs = client(server.url)
        assert jobs.state(done)["state"] == "done" and jobs.get(f"/{done}/mask").content == mask
        for job in (running, *queued):
            state = jobs.state(job)
            assert state["state"] == "interrupted" and state["error"].endswith(".")
            assert jobs.get(f"/{job}/mask").status_code == 409
            assert [path.name for path in (tmp_path / "home" / "work" / "jobs" / job).iterdir()] == ["job.json"]
        assert {job["id"] for job in jobs.get().json()["jobs"]} == {done, running, *queued}
        assert jobs.delete(running).status_code == 204
    assert seen[-1] == (200, 200) and set(seen[:-1]) <= {(200, 503)}


def watch_start(url: str, seen: list[tuple[int, int]]) -> None:
    """Note what `/health` and `/ready` answer from the server's first answer until it is ready."""
    while not seen or seen[-1][1] != 200:
        try:
            seen.append(tuple(requests.get(f"{url}/{route}", timeout=30).status_code for route in ("health", "ready")))
        except requests.ConnectionError:
            time.sleep(0.01)


def test_synchronous_client_is_told_that_the_server_stops(serve, client, long_scan, tmp_path):
    answers = []
    with serve(tmp_path / "home") as server:
        asking = threading.Thread(target=lambda: answers.append(server.ask(file=scan, output="json")), daemon=True)
        scan = long_scan()
        asking.start()
        deadline = time.monotonic() + 60
        while requests.get(f"{server.url}/ready", timeout=60).json()["running"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    asking.join(60)
    assert answers[0].status_code == 503 and "stopped" in answers[0].json()["detail"]
