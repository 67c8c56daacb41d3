"""From a scan and its reconstruction to the map that is thresholded, and from the map to a mask."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk
import torch
from scipy import ndimage
from torch import Tensor

from umaddpm_core.errors import InputError

Score = Literal["both", "dark", "bright", "absolute"]
SCORES: tuple[str, ...] = get_args(Score)

MEDIAN = 5
"""Sides of the median filter in voxels of the grid (pDDPM)."""
SMALLEST_LESION_MM3 = 64.0
"""Connected findings smaller than this are dropped: eight voxels of the grid (pDDPM)."""
NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


def anomaly_map(volume: Tensor, reconstruction: Tensor, brain: Tensor, score: Score = "both", median: int = MEDIAN) -> Tensor:
    """How far each voxel is from its healthy reconstruction: float [1, X, Y, Z], in the units of the scan (0–1).

    Args:
        volume, reconstruction: [1, X, Y, Z] in [0, 1].
        brain: boolean; the map is zero outside it and in its outermost voxel.
        score: `dark` and `bright` keep the sign of the filtered residual, positive where the scan is darker, or
            brighter, than its reconstruction; `both` is its size; `absolute` filters |X - X̂| instead (the paper), so
            that texture the model missed adds up where in `both` it cancels.
        median: sides of the 3-D median filter.
    """
    residual = volume - reconstruction
    inside = examined_region(brain)
    deviation = {"dark": -residual, "bright": residual, "both": residual, "absolute": residual.abs()}[score]
    smooth = _median_filtered(torch.where(inside, deviation, 0.0), median) * inside
    return smooth.abs() if score == "both" else smooth


def _median_filtered(volume: Tensor, sides: int) -> Tensor:
    image = sitk.Median(sitk.GetImageFromArray(volume[0].float().cpu().numpy()), [sides // 2] * 3)
    return torch.from_numpy(sitk.GetArrayFromImage(image))[None]


def examined_region(brain: Tensor) -> Tensor:
    """Where an anomaly can be found: the brain [1, X, Y, Z] without its outermost voxel, whose residual is mostly the
    uncertainty of the brain mask."""
    return torch.from_numpy(ndimage.binary_erosion(brain[0].cpu().numpy()))[None]


def mask_of(score_map: np.ndarray, threshold: float, voxel_mm3: float, smallest_mm3: float = SMALLEST_LESION_MM3) -> np.ndarray:
    """The voxels of a map above a threshold, without connected findings (26 neighbours) smaller than `smallest_mm3`.

    The one way from a map to a mask, on the scan's own grid as well as on the model's.
    """
    above = score_map > threshold
    components, count = ndimage.label(above, NEIGHBOURS)
    large = np.bincount(components.ravel(), minlength=count + 1) * voxel_mm3 >= smallest_mm3
    large[0] = False
    return large[components]


def check_score(score: str) -> str:
    """The score itself, where it is one.

    Raises:
        InputError: it is none.
    """
    if score not in SCORES:
        raise InputError(f"There is no score {score!r}; there are {', '.join(SCORES)}.")
    return score
