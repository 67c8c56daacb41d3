"""The scoring method `agreement`."""

from __future__ import annotations

from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.scoring import ScoringMethod

from umaddpm_core.serving.review.agreement import agreement


class Agreement(ScoringMethod):
    """Dice of the accepted masks against the proposed ones."""

    def __init__(self) -> None:
        super().__init__("Dice of the accepted mask against the proposed one, by case, by verdict and over time")

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        return agreement(datastore, request.get("accepted", "final"), request.get("proposed", "original"))
