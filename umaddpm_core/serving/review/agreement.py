"""How far reviewers agree with what was proposed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.metrics import dice
from umaddpm_core.preprocessing.reading import read_mask, same_grid
from umaddpm_core.serving.review.verdict import KEY

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore


def agreement(datastore: Datastore, accepted: str = "final", proposed: str = "original") -> dict[str, Any]:
    """Dice of every accepted mask against the proposed one, and its mean by verdict and over time.

    Args:
        accepted, proposed: tags of the two labels.

    Returns:
        `cases`: by image `dice`, `verdict`, `reviewer`, `time`; `by_verdict`: number and mean Dice; `over_time`: the cases
        in the order of their time, with the mean up to each; and under `left_out`, by image, why it could not be compared.
    """
    cases: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for image in datastore.list_images():
        labels = [datastore.get_label_by_image_id(image, tag) for tag in (accepted, proposed)]
        if not labels[0]:
            continue
        if not labels[1]:
            left_out[image] = f"It has no label under the tag {proposed!r}."
            continue
        review = datastore.get_label_info(labels[0], accepted).get(KEY)
        review = review if isinstance(review, dict) else {}
        paths = [datastore.get_label_uri(label, tag) for label, tag in zip(labels, (accepted, proposed))]
        try:
            value = round(_dice(*paths), 4)
        except InputError as error:
            left_out[image] = str(error)
            continue
        cases[image] = {"dice": value, **{key: review.get(key, "") for key in ("verdict", "reviewer", "time")}}
        datastore.update_label_info(labels[0], accepted, {"dice": value})
    return {"cases": cases, "by_verdict": _by_verdict(cases), "over_time": _over_time(cases), "left_out": left_out}


def _dice(accepted: str, proposed: str) -> float:
    ours, theirs = read_mask(Path(accepted)), read_mask(Path(proposed))
    if not same_grid(ours, theirs):
        theirs = sitk.Resample(theirs, ours, sitk.Transform(), sitk.sitkNearestNeighbor, 0.0)
    return dice(*(sitk.GetArrayViewFromImage(image) > 0 for image in (ours, theirs)))


def _by_verdict(cases: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[float]] = {}
    for case in cases.values():
        groups.setdefault(case["verdict"] or "none", []).append(case["dice"])
    return {verdict: {"cases": len(values), "mean_dice": round(float(np.mean(values)), 4)} for verdict, values in groups.items()}


def _over_time(cases: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    dated = sorted((case["time"], image, case["dice"]) for image, case in cases.items() if case["time"])
    values = [value for _, _, value in dated]
    return [
        {"time": time, "image": image, "dice": value, "mean_so_far": round(float(np.mean(values[: number + 1])), 4)}
        for number, (time, image, value) in enumerate(dated)
    ]
