"""What a method shows of the cases in the figure: one slice of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from umaddpm_core.detection.anomaly_map import anomaly_map, mask_of
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.comparison.judging import score_of
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.grid import VOXEL_MM3

THRESHOLD = "lesion_dice"
"""Of the masks, where a set has a development part; else `synthetic_dice`."""


@dataclass(frozen=True)
class Picture:
    """Slices [96, 96] of a case: reconstruction, map, and the mask at a threshold."""

    reconstruction: np.ndarray
    score_map: np.ndarray
    mask: np.ndarray
    threshold: float


def picture_threshold(result: dict[str, Any], modality: str, case_set: str = "") -> tuple[str, float]:
    """Score and threshold of the maps and masks in the figure, of a case of a set or of a scan of no set."""
    score = score_of("signed", modality)
    thresholds = result["thresholds"]
    named = thresholds.get(case_set, thresholds[""])[score]
    return score, named.get(THRESHOLD, named["synthetic_dice"])["value"]


def pictured_slice(case: Case) -> int:
    """The axial slice with most of the lesion."""
    return 0 if case.truth is None else int(case.truth[0].sum((0, 1)).argmax())


def picture(method: Method, case: Case, score: str, threshold: float) -> Picture:
    """What a method shows of a case."""
    z, reconstruction = pictured_slice(case), method.reconstruct(case.volume)
    score_map = anomaly_map(case.volume, reconstruction, case.brain, score)[0].numpy()
    volumes = (reconstruction[0].numpy(), score_map, mask_of(score_map, threshold, VOXEL_MM3))
    return Picture(*(volume[:, :, z] for volume in volumes), threshold)
