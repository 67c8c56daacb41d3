"""The thread that works off a batch: it goes on whatever happens to one image."""

import threading

import pytest

from umaddpm_core.errors import Cancelled, InputError
from umaddpm_core.serving.batch.batches import Batches, BatchRunning, Examiner
from umaddpm_core.serving.batch.record import FAILED, KILLED, SUBMITTED, WAITING, Batch, BatchRecord
from umaddpm_core.serving.jobs.queue import WorkQueue


@pytest.fixture
def queue():
    queue = WorkQueue(workers=1, length=1)
    yield queue
    queue.stop()
    queue.join(10)


@pytest.fixture
def told():
    return []


@pytest.fixture
def batches(queue, tmp_path, told):
    return Batches(queue, BatchRecord(tmp_path, 24), lambda what, batch, error, report, **facts: told.append((what, facts)))


def batch_of(*images):
    return Batch(request={"images": list(images)}, images={image: {"state": WAITING} for image in images})


def ended(batches, batch):
    batches.close(60)
    assert not batch.ongoing
    return batch


def examiner(outcomes, noted=None):
    def examine(image, **work):
        if isinstance(outcomes[image], Exception):
            raise outcomes[image]
        return {"marked_ml": outcomes[image]}

    def note(image, state, reason):
        if noted is None:
            raise KeyError(image)
        noted[image] = (state, reason)

    return Examiner(is_done=lambda image: outcomes[image] is None, examine=examine, note=note)


def test_an_image_that_fails_ends_nothing_and_its_reason_is_kept(batches, told, tmp_path):
    noted = {}
    outcomes = {"a": InputError("It is damaged."), "b": 1.5, "c": None, "d": RuntimeError("secret"), "e": Cancelled()}
    batch = batch_of(*outcomes)
    batches.start(batch, examiner(outcomes, noted))
    described = batches.describe(ended(batches, batch))
    assert described["status"] == "DONE" and (described["done"], described["failed"], described["skipped"]) == (1, 3, 1)
    assert described["failures"]["a"] == "It is damaged." and "secret" not in str(described)
    assert noted["a"] == ("failed", "It is damaged.") and noted["b"] == ("done", None) and "c" not in noted
    assert [what for what, _ in told] == ["batch examined"] * 4 + ["batch ended"] and told[-1][1]["failed"] == 3
    assert BatchRecord(tmp_path, 24).last().described() == batch.described()


def test_an_image_whose_outcome_cannot_be_kept_ends_nothing(batches):
    batch = batch_of("a", "b")
    batches.start(batch, examiner({"a": 1.0, "b": InputError("Gone.")}))
    assert ended(batches, batch).status == "DONE" and batch.count("done") == batch.count("failed") == 1


def test_one_at_a_time_stopped_at_once_and_forgotten_images_are_not_examined(batches, queue):
    begun, seen = threading.Event(), []

    def examine(image, cancellation, **work):
        seen.append(image)
        begun.set()
        assert cancellation.wait(60)
        raise Cancelled

    batch = batch_of("a", "b", "c")
    slow = Examiner(is_done=lambda image: False, examine=examine, note=lambda *outcome: None)
    batches.start(batch, slow)
    begun.wait(60)
    with pytest.raises(BatchRunning):
        batches.start(batch_of("x"), slow)
    assert batches.describe(batch)["examining"] == "a"
    assert batches.forget("b") and not batches.forget("b") and batch.request["images"] == ["a", "c"]
    begun.clear()
    (ticket,) = queue.about(lambda name: name == "a")
    queue.cancel(ticket)
    begun.wait(60)
    assert seen == ["a", "c"] and batch.images["a"]["state"] == "failed"
    assert batches.stop(60) is batch and batch.status == "STOPPED" and batch.images["c"]["state"] == WAITING
    assert batches.stop(60) is None


def test_what_a_killed_server_left_is_stopped_and_expires(tmp_path):
    record = BatchRecord(tmp_path, 24)
    batch = batch_of("a")
    batch.status = "RUNNING"
    record.save(batch)
    left = BatchRecord(tmp_path, 24).last()
    assert left.status == "STOPPED" and left.error == KILLED and left.described()["left"] == 1
    assert BatchRecord(tmp_path, 0).last() is None and list(tmp_path.iterdir()) == []
    (tmp_path / "batch.json").write_text("{")
    assert BatchRecord(tmp_path, 24).last() is None


class FullDisk(BatchRecord):
    """Takes a batch that is asked for, and nothing more."""

    def save(self, batch):
        if batch.status != SUBMITTED:
            raise OSError(28, "No space left on device")
        super().save(batch)


def test_a_batch_ends_also_where_nothing_can_be_recorded(queue, told, tmp_path):
    batches = Batches(queue, FullDisk(tmp_path, 24), lambda what, batch, error, report, **facts: told.append((what, facts)))
    batch = batch_of("a")
    batches.start(batch, examiner({"a": 1.0}))
    batches.close(60)
    assert batches.last().status == FAILED and "OSError" in batches.last().error
    assert [what for what, _ in told] == ["batch ended"]
    batches.start(batch_of("a"), examiner({"a": 1.0}))
    batches.close(60)
