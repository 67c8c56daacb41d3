"""Which case a reviewer sees next."""

from __future__ import annotations

import random
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.strategy import Strategy

from umaddpm_core.serving.review.scores import next_for_review


class HighestScore(Strategy):
    """The case whose anomaly map rises highest over its threshold."""

    def __init__(self) -> None:
        super().__init__("The unreviewed case with the highest anomaly score")

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        return next_for_review(datastore, "score")


class MostUncertain(Strategy):
    """The case in which most tissue lies near the threshold."""

    def __init__(self) -> None:
        super().__init__("The unreviewed case with most tissue near the threshold")

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        return next_for_review(datastore, "doubt")


class AnyCase(Strategy):
    """Any unreviewed case; the stock one fails when it is asked twice within a second for the last case."""

    def __init__(self) -> None:
        super().__init__("Any unreviewed case, by chance")

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        waiting = datastore.get_unlabeled_images("final")
        return {"id": random.choice(waiting)} if waiting else None
