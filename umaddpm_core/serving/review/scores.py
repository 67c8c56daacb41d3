"""How abnormal, and how doubtful, each case of the datastore is: kept with the image, for the order of review."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from umaddpm_core.errors import InputError

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore

KEY = "anomaly"
"""Under which the figures stand in an image's info."""
FIGURES = ("score", "doubt")
"""Among them, those that cases are ordered by."""
ACCEPTED_TAG = "final"


def require_figures(info: Mapping[str, Any]) -> None:
    """Refuse image info that cases could not be ordered by.

    Raises:
        InputError: the figures are none.
    """
    if KEY in info and not all(_is_number(_figure(info, figure)) for figure in FIGURES):
        raise InputError(f"`{KEY}` in the info of an image has to hold {' and '.join(f'`{figure}`' for figure in FIGURES)} as finite numbers.")


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
        found, since = _figure(infos[image], figure), infos[image].get("ts", 0)
        return (-found if _is_number(found) else math.inf, since if _is_number(since) else 0, image)

    chosen = min(waiting, key=order)
    found = _figure(infos[chosen], figure)
    return {"id": chosen, figure: found if _is_number(found) else None}


def _figure(info: Mapping[str, Any], figure: str) -> Any:
    figures = info.get(KEY)
    return figures.get(figure) if isinstance(figures, Mapping) else None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max
