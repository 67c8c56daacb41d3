"""How abnormal, and how doubtful, each case of the datastore is: kept with the image, for the order of review."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore

KEY = "anomaly"
"""Under which the figures stand in an image's info."""
ACCEPTED_TAG = "final"


def remember(datastore: Datastore, image: str, report: dict[str, Any]) -> None:
    """Keep a detection's figures with its image.

    `score` is the highest value of the anomaly map over the threshold; `doubt` the volume in ml whose value is within a
    fifth of the threshold, where a small shift of it would change the mask.
    """
    threshold = report["threshold"]
    figures = {
        "score": round(report["peak"] / threshold["value"], 4),
        "doubt": report["near_threshold_ml"],
        "marked_ml": report["marked_ml"],
        "model": report["model"],
        "threshold": threshold["value"],
        "quality": report["quality"]["verdict"],
        "time": int(time.time()),
    }
    datastore.update_image_info(image, {KEY: figures})


def next_for_review(datastore: Datastore, figure: str) -> dict[str, Any] | None:
    """The unreviewed image with the largest `score` or `doubt`, and that figure; those never examined come last, the
    longest known first. None where everything is reviewed."""
    waiting = datastore.get_unlabeled_images(ACCEPTED_TAG)
    if not waiting:
        return None
    infos = {image: datastore.get_image_info(image) for image in waiting}

    def order(image: str) -> tuple[float, float, str]:
        found = infos[image].get(KEY)
        return (-found[figure] if found else 1.0, infos[image].get("ts", 0), image)

    chosen = min(waiting, key=order)
    return {"id": chosen, figure: infos[chosen].get(KEY, {}).get(figure)}
