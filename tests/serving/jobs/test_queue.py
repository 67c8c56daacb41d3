"""The queue by itself: order, bounds, cancelling and stopping."""

import copy
import threading

import pytest

from umaddpm_core.errors import Cancelled
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.progress import PHASES, Durations, Progress
from umaddpm_core.serving.jobs.queue import QueueFull, Stopping, WorkQueue


@pytest.fixture
def queue():
    queue = WorkQueue(workers=1, length=2)
    yield queue
    queue.stop()
    queue.join(10)


def put(queue, work=lambda worker: worker, ended=None):
    return queue.submit(work, Cancellation(), Progress(), ended)


@pytest.fixture
def busy(queue):
    """Work that runs until it is cancelled or told to end, and is running."""
    begun, finish, cancellation = threading.Event(), threading.Event(), Cancellation()

    def work(worker):
        begun.set()
        while not finish.wait(0.01):
            if cancellation.is_set():
                raise Cancelled
        return "finished"

    ticket = queue.submit(work, cancellation, Progress())
    ticket.finish = finish
    assert begun.wait(10)
    return ticket


def test_first_come_first_served(queue, busy):
    order = []
    tickets = [put(queue, lambda worker, number=number: order.append(number)) for number in range(2)]
    assert [queue.position(ticket) for ticket in (busy, *tickets)] == [None, 1, 2]
    busy.finish.set()
    for ticket in tickets:
        ticket.future.result(10)
    assert order == [0, 1] and busy.future.result() == "finished"


def test_one_more_than_may_wait_is_refused(queue, busy):
    put(queue), put(queue)
    with pytest.raises(QueueFull) as refused:
        put(queue)
    assert refused.value.retry_after >= 1
    assert queue.counts() == {"waiting": 2, "running": 1, "workers": 1, "queue": 2}


def test_what_waits_ends_at_once_when_cancelled(queue, busy):
    ended = []
    ticket = put(queue, ended=ended.append)
    queue.cancel(ticket)
    assert isinstance(ticket.future.exception(0), Cancelled) and ended == [ticket]
    assert not busy.future.done()
    queue.cancel(busy)
    assert isinstance(busy.future.exception(10), Cancelled)
    queue.cancel(busy)


def test_stopping_ends_what_waits_and_what_runs(queue, busy):
    waiting = put(queue)
    queue.stop()
    assert isinstance(waiting.future.exception(0), Stopping)
    assert isinstance(busy.future.exception(10), Stopping)
    with pytest.raises(Stopping):
        put(queue)


def test_what_goes_wrong_reaches_who_asked_and_nobody_else(queue):
    with pytest.raises(ZeroDivisionError):
        put(queue, lambda worker: 1 / 0).future.result(10)
    assert put(queue).future.result(10) == 0


def test_as_many_run_at_once_as_there_are_workers():
    queue = WorkQueue(workers=2, length=4)
    together = threading.Barrier(2, timeout=10)
    tickets = [put(queue, lambda worker: (together.wait(), worker)[1]) for _ in range(2)]
    assert {ticket.future.result(20) for ticket in tickets} == {0, 1}
    queue.stop()
    queue.join(10)


def test_seconds_left_come_from_earlier_detections():
    durations, progress = Durations(), Progress()
    assert progress.seconds_left(durations) is None
    durations.learn(dict.fromkeys(PHASES, 10.0))
    whole = 10.0 * len(PHASES)
    assert progress.seconds_left(durations) == pytest.approx(whole)
    progress(0.95, PHASES[-2])
    assert 10 < progress.seconds_left(durations) <= 20
    progress(1.0, "done")
    assert progress.phase == PHASES[-1] and progress.seconds_left(durations) <= 10
    assert copy.deepcopy(progress) is progress
