"""The deployed settings of a model: score, thresholds, and how each was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from umaddpm_core.detection.anomaly_map import check_score
from umaddpm_core.errors import InputError

LEVELS = 2000
"""Thresholds tried in a search, evenly spaced between 0 and the largest value of the maps."""


@dataclass(frozen=True)
class Threshold:
    """A threshold in use: the name of the calibration, or `user`, its value and the score it belongs to; and of a calibrated
    one how it was found, and what it costs on healthy scans."""

    name: str
    value: float
    score: str
    origin: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "score": self.score, **self.origin}


def chosen_threshold(calibration: dict[str, Any], threshold: str | float | None, score: str | None) -> Threshold:
    """The threshold the user asks for, or the default.

    Args:
        calibration: of one modality, as the artefact keeps it.
        threshold: a calibrated name, a number (also as text), or None.
        score: one of `SCORES`, or None for the calibrated default.

    Raises:
        InputError: an unknown name or score, or a number that cannot be a threshold.
    """
    score = check_score(score or calibration["score"])
    calibrated = calibration["scores"][score]
    if threshold is None:
        threshold = calibration["threshold"]
    if isinstance(threshold, str) and threshold in calibrated:
        origin = {name: fact for name, fact in calibrated[threshold].items() if name != "value"}
        return Threshold(threshold, float(calibrated[threshold]["value"]), score, origin)
    try:
        value = float(threshold)
    except (TypeError, ValueError):
        raise InputError(
            f"There is no threshold {threshold!r}; give a number or one of {', '.join(calibrated)}."
        ) from None
    if not np.isfinite(value) or value <= 0:
        raise InputError(f"A threshold of {value:g} is of no use; give a number above 0.")
    return Threshold("user", value, score)


def quantile_threshold(values: np.ndarray, false_positive_rate: float = 0.01) -> float:
    """The value above which a share `false_positive_rate` of healthy voxels lies."""
    return float(np.quantile(values, 1 - false_positive_rate))


def dice_threshold(values: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The threshold with the highest Dice over pooled voxels, and that Dice.

    Args:
        values: map values of all examined voxels of all cases.
        truth: boolean, of the same length.
    """
    edges = np.linspace(0, max(float(values.max()), 1e-6), LEVELS + 1)
    lesion = np.histogram(values[truth], edges)[0][::-1].cumsum()[::-1]
    marked = np.histogram(values, edges)[0][::-1].cumsum()[::-1]
    dice = 2 * lesion / np.maximum(marked + truth.sum(), 1)
    best = int(dice.argmax())
    return float(edges[best]), float(dice[best])
