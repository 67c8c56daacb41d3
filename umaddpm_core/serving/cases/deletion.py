"""Deletes everything that the server holds of a case."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from monailabel.utils.async_tasks.utils import processes

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.batch.batches import Batches
from umaddpm_core.serving.cases.case import Case
from umaddpm_core.serving.cases.logs import blot_out, log_files
from umaddpm_core.serving.jobs.queue import WorkQueue
from umaddpm_core.serving.jobs.service import Jobs
from umaddpm_core.serving.retraining.cohort import COHORT, HEALTHY, subject_of
from umaddpm_core.serving.retraining.forgetting import forget_scan
from umaddpm_core.serving.scan_identity import identity_of

if TYPE_CHECKING:
    from monailabel.interfaces.app import MONAILabelApp

SECONDS_TO_STOP = 30
"""How long work on the case may take to stop after it was cancelled."""


class StillInUse(InputError):
    """Something works with the case and cannot be stopped by this call."""


class CaseDeletion:
    """Deletes cases, one at a time in this process.

    Args:
        app: with the datastore, sessions, detections and the folder of the trainings.
        queue, jobs, batches: of the server.
    """

    _one_at_a_time = threading.Lock()

    def __init__(self, app: MONAILabelApp, queue: WorkQueue, jobs: Jobs, batches: Batches) -> None:
        self._app, self._queue, self._jobs, self._batches = app, queue, jobs, batches

    def delete(self, image: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Delete a case: work on it, its jobs and sessions, what is remembered and learned from of it, and the scan with its labels.

        The scan goes last: as long as it is there, the same call finds what is left where this one is broken off. Of an
        archive only what was fetched or noted here is deleted. Models that learned from the scan stay.

        Args:
            image: id in the datastore; or the name, without suffix, of a file that was sent.

        Returns:
            Names of what was deleted, by kind; and of the `logs` that cannot be written to, in which the case may still be named.

        Raises:
            NotFound: there is nothing of such a case.
            StillInUse: a training learns from it, or work on it does not stop.
        """
        with self._one_at_a_time:
            datastore = self._app.datastore()
            held = image in datastore.known_cases()
            scan = Path(datastore.get_image_info(image).get("path", ""))
            case = Case(image, identity_of(scan).content if scan.is_file() else "")
            self._require_no_training(image)
            deleted = self._derived(case)
            if not held and not deleted:
                raise NotFound("This server holds nothing of such a case.")
            blotted, untouched = blot_out(log_files(Path(self._app.app_dir) / "logs"), image)
            deleted |= _named("logs", blotted)
            deleted |= datastore.remove_case(image)
            # Somebody may have asked for the scan meanwhile.
            again = self._derived(case)
        everything = {kind: sorted({*deleted.get(kind, []), *again.get(kind, [])}) for kind in {**deleted, **again}}
        return everything, _named("logs", untouched)

    def _derived(self, case: Case) -> dict[str, list[str]]:
        """Delete everything but the scan with its labels."""
        listed = self._batches.forget(case.id)
        work = self._stopped(case)
        return {
            **_named("batch", ["batch.json"] if listed else []),
            **_named("running", work),
            **_named("jobs", self._jobs.remove(case.is_job)),
            **_named("sessions", self._sessions(case)),
            **_named("detections", ["in memory"] if self._app.detections.forget(case.is_scan) else []),
            **_named("retraining", self._retraining(case)),
        }

    def _stopped(self, case: Case) -> list[str]:
        """Cancel what examines the case or is about to, and wait until it has stopped."""
        work = [*self._queue.about(case.is_named), *self._jobs.tickets(case.is_job)]
        for ticket in work:
            self._queue.cancel(ticket)
        deadline = time.monotonic() + SECONDS_TO_STOP
        while self._jobs.tickets(case.is_job) or not all(ticket.future.done() for ticket in work):
            if time.monotonic() > deadline:
                raise StillInUse("A detection in this case has not stopped yet; ask again to delete it.")
            time.sleep(0.05)
        return sorted({ticket.about for ticket in work})

    def _sessions(self, case: Case) -> list[str]:
        sessions = self._app.sessions()
        folder = Path(sessions.store_path) if sessions is not None else Path()
        if sessions is None or not folder.is_dir():
            return []
        found = [place.name for place in folder.iterdir() if place.is_dir() and case.is_in(place)]
        for session in found:
            sessions.remove_session(session)
        return found

    def _retraining(self, case: Case) -> list[str]:
        datastore = self._app.datastore()
        info = datastore.get_image_info(case.id)
        subject = subject_of(case.id, info)
        others = [image for image in datastore.known_cases() if image != case.id]
        alone = all(subject_of(image, datastore.get_image_info(image)) != subject for image in others)
        return forget_scan(Path(self._app.app_dir) / "model" / "retraining", case.id, info, last_of_person=alone)

    def _require_no_training(self, image: str) -> None:
        if processes("train") and self._app.datastore().get_image_info(image).get(COHORT) == HEALTHY:
            raise StillInUse("A training is learning from this case; wait for its end, or stop it by DELETE /train/.")


def _named(kind: str, names: list[str]) -> dict[str, list[str]]:
    return {kind: names} if names else {}
