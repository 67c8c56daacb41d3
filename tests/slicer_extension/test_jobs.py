"""Detections through the worker's thread: their states, cancellation, and servers that come and go."""

import json
import threading
import time

import pytest
from AnomalyDetectionLib.client import BrokenOff, Client, NotFound, Refused
from AnomalyDetectionLib.jobs import Jobs, Order, Progress, State
from AnomalyDetectionLib.worker import Worker
from running_server import free_port


class Watched:
    """A worker with jobs, and what was told of each detection."""

    def __init__(self, **settings):
        self.worker = Worker()
        self.jobs = Jobs(self.worker, poll_s=0.05, **settings)
        self.told: dict[int, list[Progress]] = {}
        self.threads = set()

    def submit(self, order):
        seen = []
        number = self.jobs.submit(order, lambda progress: (seen.append(progress), self.threads.add(threading.current_thread())))
        self.told[number] = seen
        return number

    def until(self, number, reached, seconds=300):
        """Poll until the detection is as wanted; it must not end otherwise."""
        deadline = time.monotonic() + seconds
        while not (self.told[number] and reached(self.told[number][-1])):
            assert not (self.told[number] and self.told[number][-1].state.final), self.told[number][-1]
            assert time.monotonic() < deadline, self.told[number]
            if not self.worker.poll():
                time.sleep(0.02)
        return self.told[number][-1]

    def ended(self, number):
        return self.until(number, lambda progress: progress.state.final)


@pytest.fixture
def watched():
    one = Watched()
    yield one
    one.worker.close()


def test_detection_tells_every_state_on_the_thread_that_polls(watched, client, unseen_scan, tmp_path):
    before = {job["id"] for job in client._transport.json("GET", "/anomaly/jobs")["jobs"]}
    number = watched.submit(Order(client, unseen_scan(), tmp_path / "result", parameters={"threshold": 0.02}))
    done = watched.ended(number)
    told = watched.told[number]
    assert done.state == State.DONE and done.results.files["mask"].is_file() and done.error is None
    order = list(dict.fromkeys(progress.state for progress in told))
    assert [state for state in order if state != State.QUEUED] == [
        State.WAITING, State.UPLOADING, State.RUNNING, State.FETCHING, State.DONE,
    ]  # fmt: skip
    running = [progress for progress in told if progress.state == State.RUNNING]
    assert [one.step for one in running] == sorted(one.step for one in running) and running[-1].steps >= running[-1].step > 0
    assert {one.note for one in running} & {"repainting it as healthy", "reading the scan"}
    assert watched.threads == {threading.current_thread()} and watched.jobs.unfinished == ()
    # It is not kept on the server once it is here.
    assert {job["id"] for job in client._transport.json("GET", "/anomaly/jobs")["jobs"]} <= before


def test_detections_wait_for_each_other_and_each_can_be_cancelled(watched, client, long_scan, server, tmp_path):
    running, waiting, last = (
        watched.submit(Order(client, scan, tmp_path / name))
        for name, scan in (("a", long_scan()), ("b", long_scan()), ("c", server.image))
    )
    watched.until(running, lambda progress: progress.state == State.RUNNING)
    assert [progress.state for progress in watched.told[waiting]] == [State.WAITING]
    watched.jobs.cancel(waiting)
    watched.jobs.cancel(running)
    assert watched.ended(running).state == watched.ended(waiting).state == State.CANCELLED
    assert watched.ended(last).state == State.DONE
    assert State.UPLOADING not in {progress.state for progress in watched.told[waiting]}
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
    watched.jobs.cancel(last)
    assert watched.told[last][-1].state == State.DONE


def test_failure_on_the_server_is_told_in_its_words(watched, client, server, tmp_path):
    number = watched.submit(Order(client, server.image, tmp_path, parameters={"model": "no_such_model"}))
    failed = watched.ended(number)
    assert failed.state == State.FAILED and "no_such_model" in failed.note and isinstance(failed.error, Refused)


def test_folder_that_cannot_be_written_is_a_failure_of_this_computer(watched, client, server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    failed = watched.ended(watched.submit(Order(client, server.image, tmp_path / "file")))
    assert failed.state == State.FAILED and failed.note.startswith("This went wrong on this computer")


def test_server_that_is_restarted_says_what_became_of_the_job(serve, long_scan, tmp_path):
    watched, port = Watched(patience_s=3600), free_port()
    with serve(tmp_path / "home", port) as server:
        client = Client(server.url)
        number = watched.submit(Order(client, long_scan(), tmp_path / "result"))
        watched.until(number, lambda progress: progress.state == State.RUNNING)
    with serve(tmp_path / "home", port):
        failed = watched.ended(number)
    watched.worker.close()
    assert failed.state == State.FAILED and isinstance(failed.error, Refused) and "stopped" in failed.note.lower()


def job_routes(*states):
    """A server that takes one job and then says what it is told, the last for ever; `None` closes without an answer."""
    left = list(states)

    def behave(connection, server):
        head = server.read_head(connection)
        if head.startswith(b"POST"):
            reply(connection, 202, {"id": "1", "state": "queued", "position": 1, "links": {}})
        elif head.startswith(b"DELETE"):
            reply(connection, 204)
        else:
            state = left.pop(0) if len(left) > 1 else left[0]
            if state is not None:
                reply(connection, *state)

    return behave


def reply(connection, status, content=None, header=""):
    body = json.dumps(content).encode() if content is not None else b""
    connection.sendall(f"HTTP/1.1 {status} X\r\nConnection: close\r\n{header}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def test_server_that_is_away_for_a_while_is_asked_again(watched, odd_server, tmp_path):
    running = {"id": "1", "state": "running", "phase": "repainting it as healthy", "step": 5, "steps": 7, "links": {}}
    loading, cancelled = (503, {"detail": "The model is still being loaded."}), (200, {**running, "state": "cancelled"})
    away = [(200, running), None, None, loading, (200, running), cancelled]
    number = watched.submit(Order(Client(odd_server(job_routes(*away)).url), "case", tmp_path))
    failed = watched.ended(number)
    notes = [progress.note for progress in watched.told[number]]
    asked_again = [index for index, note in enumerate(notes) if "Asking again" in note]
    assert len(asked_again) == 3 and notes[asked_again[-1] + 1] == "repainting it as healthy"
    assert failed.state == State.FAILED and "Somebody else cancelled" in failed.note


def test_server_that_is_gone_for_good_ends_the_wait(odd_server, tmp_path):
    watched = Watched(patience_s=0.2)
    server = odd_server(job_routes(None))
    failed = watched.ended(watched.submit(Order(Client(server.url), "case", tmp_path)))
    watched.worker.close()
    assert failed.state == State.FAILED and isinstance(failed.error, BrokenOff)


def test_job_that_the_server_forgot_has_failed(watched, odd_server, tmp_path):
    server = odd_server(job_routes((404, {"detail": "There is no job '1'."})))
    failed = watched.ended(watched.submit(Order(Client(server.url), "case", tmp_path)))
    assert failed.state == State.FAILED and isinstance(failed.error, NotFound)


def test_results_that_break_off_are_a_failure_and_leave_no_part(watched, odd_server, tmp_path):
    done = {"id": "1", "state": "done", "links": {"self": "/anomaly/jobs/1", "mask": "/anomaly/jobs/1/mask"}}
    states = job_routes((200, done))

    def behave(connection, server):
        if b"/mask" in (head := connection.recv(65536)):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf of it")
        else:
            server.read_head = lambda _: head
            states(connection, server)

    failed = watched.ended(watched.submit(Order(Client(odd_server(behave).url), "case", tmp_path / "result")))
    assert failed.state == State.FAILED and isinstance(failed.error, BrokenOff)
    assert list((tmp_path / "result").iterdir()) == []


def test_busy_server_is_asked_again_when_it_said(watched, odd_server, tmp_path):
    answers = [(503, {"detail": "The server is busy."}, "Retry-After: 0\r\n"), (422, {"detail": "No such thing."})]
    server = odd_server(lambda connection, one: (one.read_head(connection), reply(connection, *answers.pop(0))))
    number = watched.submit(Order(Client(server.url), "case", tmp_path))
    failed = watched.ended(number)
    notes = [(progress.state, progress.note) for progress in watched.told[number]]
    assert (State.WAITING, "The server is busy.") in notes and failed.note == "No such thing." and not answers


def test_worker_does_anything_and_tells_the_polling_thread():
    worker, told = Worker(), []
    assert not worker.is_busy
    worker.call(lambda cancellation: 1 / 0, told.append, lambda error: told.append(type(error)))
    worker.call(lambda cancellation: threading.current_thread().name, told.append, told.append)
    held = worker.call(lambda cancellation: cancellation.wait(60), told.append, told.append, lambda: told.append("cancelled"))
    while len(told) < 2:
        worker.poll()
    held.set()
    while len(told) < 3:
        assert worker.is_busy
        worker.poll()
    assert told == [ZeroDivisionError, "anomaly-detection", "cancelled"]
    never = worker.call(lambda cancellation: cancellation.wait(60), told.append, told.append)
    worker.close()
    assert never.is_set() and not worker._thread.is_alive()
    with pytest.raises(RuntimeError):
        worker.call(print, print, print)
