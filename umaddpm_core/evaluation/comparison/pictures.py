"""What a method shows of the cases in the figure: one slice of each, kept beside its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from umaddpm_core.data.replacing import replacing
from umaddpm_core.detection.anomaly_map import anomaly_map, mask_of
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.comparison.judging import score_of
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.grid import VOXEL_MM3

THRESHOLD = "lesion_dice"
"""Of the masks, where a set has a development part; else `synthetic_dice`."""


@dataclass(frozen=True)
class Picture:
    """Slices [96, 96] of a case: reconstruction and map as float16, mask boolean."""

    reconstruction: np.ndarray
    score_map: np.ndarray
    mask: np.ndarray


def picture_threshold(result: dict[str, Any], modality: str) -> tuple[str, float]:
    """Score and threshold of the maps and masks in the figure."""
    score = score_of("signed", modality)
    named = result["thresholds"][score]
    return score, named.get(THRESHOLD, named["synthetic_dice"])["value"]


def pictured_slice(case: Case) -> int:
    """The axial slice with most of the lesion."""
    return 0 if case.truth is None else int(case.truth[0].sum((0, 1)).argmax())


def keep_pictures(path: Path, method: Method, cases: Sequence[Case], score: str, threshold: float) -> None:
    """Write the pictures of every case into one `.npz`; nothing where there are no cases."""
    arrays = {}
    for case in cases:
        z, reconstruction = pictured_slice(case), method.reconstruct(case.volume)
        score_map = anomaly_map(case.volume, reconstruction, case.brain, score)[0].numpy()
        slices = (reconstruction[0].numpy(), score_map, mask_of(score_map, threshold, VOXEL_MM3))
        for name, volume, kind in zip(Picture.__annotations__, slices, (np.float16, np.float16, bool)):
            arrays[f"{case.name}/{name}"] = volume[:, :, z].astype(kind)
    if arrays:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)


def kept_picture(path: Path, case: Case) -> Picture:
    """The picture of a case."""
    with np.load(path) as kept:
        return Picture(*(kept[f"{case.name}/{name}"] for name in Picture.__annotations__))
