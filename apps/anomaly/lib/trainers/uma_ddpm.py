"""The trainer `uma_ddpm`: MONAI Label's contract around the trainings of the server."""

from __future__ import annotations

from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask

from umaddpm_core.errors import InputError
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.serving.retraining.trainings import Trainings


class UMADDPMTraining(TrainTask):
    """Learns from the scans that image info calls healthy; labels play no part. Research use only."""

    def __init__(self, trainings: Trainings) -> None:
        super().__init__('Learns from the scans whose image info says {"cohort": "healthy"}. Research use only.')
        self._trainings = trainings

    def config(self) -> dict[str, Any]:
        """What stock clients show and send back."""
        return RetrainingRequest.choices()

    def stats(self) -> dict[str, Any]:
        """How the training goes or went, and the versions that there are."""
        return self._trainings.stats()

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train in this process, which MONAI Label has started for it; its output becomes the log of the task.

        Raises:
            SystemExit: with one sentence, where what is asked for cannot be done.
        """
        try:
            return self._trainings.run(request, datastore)
        except InputError as error:
            raise SystemExit(f"The training ends: {error}") from None
