"""What is measured of one case: its reconstruction, its map and its masks, on the model's grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from umaddpm_core.detection.anomaly_map import anomaly_map, mask_of
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.lesionwise import lesion_counts
from umaddpm_core.evaluation.metrics import average_precision, dice, psnr, ssim, voxel_rates
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.grid import SPACING_MM, VOXEL_MM3

VOXEL_ML = VOXEL_MM3 / 1000
BINS = 4096
"""Of map values between 0 and 1, to pool the voxels of many cases."""


@dataclass(frozen=True)
class Case:
    """A prepared scan and its truth: tensors [1, 96, 96, S]; `truth` is None where nobody marked anything.

    `name` is of the scan, `subject` of the person; a healthy person has neither lesions nor truth.
    """

    name: str
    subject: str
    volume: Tensor
    brain: Tensor
    truth: Tensor | None = None
    healthy: bool = False


@dataclass(frozen=True)
class Measured:
    """The figures of a case by name; and how many healthy and lesion voxels have a map value in each of `BINS` bins."""

    name: str
    subject: str
    figures: dict[str, float]
    voxels: np.ndarray | None = field(default=None, repr=False)


def measure(method: Method, thresholds: list[Threshold], case: Case) -> Measured:
    """Everything that is reported of one case: `reconstruction_figures`, and `mask_figures` at thresholds of one score.

    Args:
        method: as it is deployed; what it reconstructs is scored, with all patches repainted, never a composite with the scan.
    """
    reconstruction = method.reconstruct(case.volume)
    score_map = anomaly_map(case.volume, reconstruction, case.brain, thresholds[0].score)[0].numpy()
    figures, voxels = mask_figures(score_map, thresholds, case)
    return Measured(case.name, case.subject, {**reconstruction_figures(reconstruction, case), **figures}, voxels)


def reconstruction_figures(reconstruction: Tensor, case: Case) -> dict[str, float]:
    """`psnr` and `ssim` of the reconstruction against the scan over the whole grid, `psnr_brain`, `ssim_brain` inside the brain."""
    return {
        "psnr": psnr(reconstruction, case.volume),
        "psnr_brain": psnr(reconstruction, case.volume, case.brain),
        "ssim": ssim(reconstruction, case.volume),
        "ssim_brain": ssim(reconstruction, case.volume, case.brain),
    }


def mask_figures(score_map: np.ndarray, thresholds: list[Threshold], case: Case) -> tuple[dict[str, float], np.ndarray | None]:
    """What a map [96, 96, S] is worth, and its `pooled_voxels` in the brain and the lesions; None where the truth is unknown.

    Returns:
        Always: `marked_ml_NAME` by threshold.
        With lesions: `lesion_ml`; `auprc` over the grid; `dice_oracle` at the best threshold of this case, small findings
        not dropped; and by threshold
        `dice_NAME`; in the brain and the lesions `sensitivity_NAME`, `specificity_NAME`, `precision_NAME` and `repo_specificity_NAME`; and
        lesion by lesion `lesion_sensitivity_NAME`, `lesion_precision_NAME`, `lesion_f1_NAME` and `lesion_dice_NAME`.
    """
    brain = case.brain[0].numpy()
    truth = np.zeros_like(brain) if case.truth is None else case.truth[0].numpy()
    region = brain | truth
    voxels = pooled_voxels(score_map, truth, region)
    figures: dict[str, float] = {}
    lesioned = case.truth is not None and bool(truth.any())
    if lesioned:
        figures["lesion_ml"] = VOXEL_ML * np.count_nonzero(truth)
        figures["auprc"] = average_precision(score_map.clip(min=0), truth)
        figures["dice_oracle"] = best_dice(voxels)[1]
    for threshold in thresholds:
        mask = mask_of(score_map, threshold.value, VOXEL_MM3)
        found = {"marked_ml": VOXEL_ML * np.count_nonzero(mask)}
        if lesioned:
            lesions = lesion_counts(mask, truth, SPACING_MM).figures()
            found = {**found, "dice": dice(mask, truth), **voxel_rates(mask, truth, region), **lesions}
        figures.update({f"{name}_{threshold.name}": value for name, value in found.items()})
    known = case.healthy or case.truth is not None
    return figures, voxels if known else None


def pooled_voxels(score_map: np.ndarray, truth: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Counts [2, BINS] of healthy and of lesion voxels of a region by map value, 0 to 1."""
    index = (score_map[region].clip(0, 1) * (BINS - 1)).astype(int)
    return np.stack([np.bincount(index[kind], minlength=BINS) for kind in (~truth[region], truth[region])])


def best_dice(voxels: np.ndarray) -> tuple[float, float]:
    """The threshold with the highest Dice over pooled voxels [2, BINS], and that Dice."""
    above = voxels[:, ::-1].cumsum(1)[:, ::-1]
    scores = 2 * above[1] / np.maximum(above.sum(0) + above[1, 0], 1)
    best = int(scores.argmax())
    return best / (BINS - 1), float(scores[best])


def pooled_average_precision(voxels: np.ndarray) -> float:
    """Area under the precision–recall curve of pooled voxels [2, BINS]; NaN without a lesion."""
    above = voxels[:, ::-1].cumsum(1)
    if not above[1, -1]:
        return math.nan
    precision = above[1] / np.maximum(above.sum(0), 1)
    return float((np.diff(above[1] / above[1, -1], prepend=0.0) * precision).sum())

