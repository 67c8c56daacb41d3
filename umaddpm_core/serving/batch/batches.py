"""The batch that runs, and the last that did."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from umaddpm_core.errors import Cancelled, InputError
from umaddpm_core.serving.batch.record import DONE, EXAMINED, FAILED, KILLED, RUNNING, SKIPPED, STOPPED, UNUSABLE, WAITING, Batch, BatchRecord
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.progress import PHASES, Progress
from umaddpm_core.serving.jobs.queue import QueueFull, Stopping, Ticket, WorkQueue

Told = Callable[..., None]
"""Told of what ended: `told(what, batch, error, report, **facts)`."""

LONGEST_PAUSE_S = 5.0
"""Between two looks whether a full queue has room again."""
CANCELLED = "It was cancelled."

logger = logging.getLogger(__name__)


class BatchRunning(Exception):
    """There is one already; the next has to wait."""

    def __init__(self) -> None:
        super().__init__("A batch is running already; wait for its end, or stop it by DELETE /batch/infer.")


class Examiner:
    """How a batch deals with one image; `examination` has the real ones.

    Attributes:
        is_done: whether there is nothing to do for an image.
        examine: does it: `examine(image, cancellation=…, progress=…, worker=…)` returns the report.
        note: keeps the outcome with the image: `note(image, state, reason)`.
    """

    def __init__(self, is_done: Callable[[str], bool], examine: Callable[..., dict[str, Any]], note: Callable[..., None]) -> None:
        self.is_done, self.examine, self.note = is_done, examine, note


class Batches:
    """Works off one batch at a time, one image after the other, each in its turn among the other work of the queue.

    Args:
        queue: of the server.
        record: of the last batch.
        told: of every image that was examined, and of every batch that has ended.
    """

    def __init__(self, queue: WorkQueue, record: BatchRecord, told: Told) -> None:
        self._queue, self._record, self._told = queue, record, told
        self._changing = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ticket: Ticket | None = None

    def start(self, batch: Batch, examiner: Examiner) -> None:
        """Begin a batch; returns at once.

        Raises:
            BatchRunning: there is one.
            Stopping: the server is being stopped.
        """
        with self._changing:
            if self._thread is not None and self._thread.is_alive():
                raise BatchRunning
            if self._queue.stopping:
                raise Stopping
            self._stop.clear()
            self._record.save(batch)
            self._thread = threading.Thread(target=self._run, args=(batch, examiner), name="batch", daemon=True)
            self._thread.start()

    def last(self) -> Batch | None:
        """The batch that runs, else the last one."""
        return self._record.last()

    def describe(self, batch: Batch) -> dict[str, Any]:
        """What a client is told of a batch, with the image that is being examined and the seconds that are left."""
        ticket, one = self._ticket, self._queue.durations.of(PHASES)
        left = batch.count(WAITING) * one if batch.ongoing and one is not None else None
        return {
            **batch.described(),
            "examining": ticket.about if batch.ongoing and ticket else None,
            "eta_seconds": None if left is None else round(left, 1),
        }

    def stop(self, seconds: float) -> Batch | None:
        """Stop the batch that runs, and wait no longer than this for its image to end; None where none runs."""
        with self._changing:
            batch, thread = self._record.last(), self._thread
            if batch is None or not batch.ongoing or thread is None:
                return None
            self._stop.set()
            ticket = self._ticket
        if ticket is not None:
            self._queue.cancel(ticket)
        thread.join(seconds)
        return batch

    def forget(self, image: str) -> bool:
        """Take an image out of the record; whether it was there."""
        return self._record.forget(image)

    def sweep(self) -> None:
        """Delete the record of a batch that ended too long ago."""
        self._record.last()

    def close(self, seconds: float) -> None:
        """Let the batch that runs end as interrupted; the queue has been stopped before."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, batch: Batch, examiner: Examiner) -> None:
        batch.status = RUNNING
        status, sentence = DONE, None
        try:
            self._record.save(batch)
            for image in list(batch.images):
                if image in batch.images and not self._stop.is_set():
                    self._work(batch, image, examiner)
            if batch.count(WAITING):
                status, sentence = STOPPED, "It was stopped; ask for it again, and it goes on where it was."
        except Stopping:
            status, sentence = STOPPED, KILLED
        except Exception as error:
            logger.exception("The batch %s failed", batch.id)
            status, sentence = FAILED, f"The server failed on this batch ({type(error).__name__}); its log says where."
        batch.end(status, sentence)
        try:
            self._record.save(batch)
        except OSError as error:
            logger.error("How the batch %s ended cannot be kept on the disk (%s).", batch.id, error)
        counts = {"done": batch.count(EXAMINED), "failed": batch.count(UNUSABLE), "skipped": batch.count(SKIPPED), "left": batch.count(WAITING)}
        self._told("batch ended", batch, None, {}, outcome=status, **counts)

    def _work(self, batch: Batch, image: str, examiner: Examiner) -> None:
        """One image from its turn to its outcome; it stays waiting where the batch was stopped meanwhile."""
        started, report, error = time.monotonic(), {}, None
        try:
            if examiner.is_done(image):
                self._set(batch, image, SKIPPED, reason="It was examined before with the same model and parameters.")
                return
            report = self._examined(image, examiner)
            state, told = EXAMINED, {"marked_ml": report["marked_ml"]}
        except Stopping:
            raise
        except Exception as raised:
            if isinstance(raised, Cancelled) and self._stop.is_set():
                return
            state, told, error = UNUSABLE, {"reason": _sentence(batch, raised)}, raised
        if image in batch.images:
            self._set(batch, image, state, **told)
            _note(examiner, image, state, told.get("reason"))
        self._told("batch examined", batch, error, report, image=image, outcome=state, seconds=round(time.monotonic() - started, 3))

    def _examined(self, image: str, examiner: Examiner) -> dict[str, Any]:
        cancellation, progress = Cancellation(), Progress()

        def work(worker: int) -> dict[str, Any]:
            return examiner.examine(image, cancellation=cancellation, progress=progress, worker=worker)

        while True:
            try:
                with self._changing:
                    if self._stop.is_set():
                        raise Cancelled
                    self._ticket = self._queue.submit(work, cancellation, progress, about=image)
                break
            except QueueFull as full:
                self._stop.wait(min(full.retry_after, LONGEST_PAUSE_S))
        try:
            return self._ticket.future.result()
        finally:
            self._ticket = None

    def _set(self, batch: Batch, image: str, state: str, **told: Any) -> None:
        if image in batch.images:
            batch.images[image] = {"state": state, **told}
            self._record.save(batch)


def _note(examiner: Examiner, image: str, state: str, reason: str | None) -> None:
    """Keep the outcome with the image, which may have been removed meanwhile; the batch goes on in any case."""
    try:
        examiner.note(image, state, reason)
    except Exception as error:
        logger.warning("The outcome of an examination cannot be kept with its image (%s).", type(error).__name__)


def _sentence(batch: Batch, error: Exception) -> str:
    """Why an image failed, for whoever reads the outcome."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, Cancelled):
        return CANCELLED
    logger.error("The batch %s failed on an image", batch.id, exc_info=error)
    return f"The server failed on this scan ({type(error).__name__}); its log says where."
