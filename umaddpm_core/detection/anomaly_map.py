"""From a scan and its reconstruction to the map that is thresholded, and from the map to a mask."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk
import torch
from scipy import ndimage
from torch import Tensor

from umaddpm_core.errors import InputError

Score = Literal["both", "dark", "bright", "mostly_dark", "mostly_bright", "absolute"]
SCORES: tuple[str, ...] = get_args(Score)

UNLIKELY = 0.75
"""What a difference in the less likely direction counts in `mostly_dark` and `mostly_bright`."""

MEDIAN = 5
"""Sides of the median filter in voxels of the grid (pDDPM)."""
SMOOTHING = 2.0
"""Standard deviation in voxels of the grid of the Gaussian that follows the median in a signed score (ours): the small errors of
a reconstruction change their sign from place to place, a lesion does not."""
SMALLEST_LESION_MM3 = 64.0
"""Connected findings smaller than this are dropped: eight voxels of the grid (pDDPM)."""
HEADER_PRECISION = 1e-6
"""How far a volume in mm³ may be off, as a share: NIfTI headers keep the sides of a voxel in single precision."""
IN_PLANE = ndimage.generate_binary_structure(2, 1)[:, :, None]
LINEAGE_MARGIN = 3
"""Voxels of a slice by which the paper's code lineage erodes the brain."""
NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


def anomaly_map(
    volume: Tensor, reconstruction: Tensor, brain: Tensor, score: Score = "both", median: int = MEDIAN, smoothing: float = SMOOTHING
) -> Tensor:
    """How far each voxel is from its healthy reconstruction: float [1, X, Y, Z], in the units of the scan (0–1).

    Args:
        volume, reconstruction: [1, X, Y, Z] in [0, 1].
        brain: boolean; the map is zero outside its `examined_region`.
        score: `dark` and `bright` keep the sign of the filtered residual, positive where the scan is darker, or
            brighter, than its reconstruction; `both` is its size; `mostly_dark` and `mostly_bright` are `both` with the
            other direction counted three quarters; `absolute` filters |X - X̂| instead, as the paper's code lineage does,
            so that texture the model missed adds up where in the others it cancels.
        median: sides of the 3-D median filter.
        smoothing: standard deviation in voxels of the Gaussian after it, 0 for none; the score `absolute` has none.
    """
    inside = examined_region(brain, score)
    difference = volume - reconstruction
    if score == "absolute":
        return _median_filtered(torch.where(inside, difference.abs(), 0.0), median) * inside
    filtered = _median_filtered(torch.where(inside, difference, 0.0), median)
    if smoothing:
        filtered = _smoothed(filtered, inside, smoothing)
    return directed(filtered * inside, score)


def directed(difference: Tensor, score: Score) -> Tensor:
    """A filtered difference, positive where the scan is brighter, as the score of a direction or of both."""
    dark, bright = {
        "both": (1.0, 1.0),
        "mostly_dark": (1.0, UNLIKELY),
        "mostly_bright": (UNLIKELY, 1.0),
        "dark": (1.0, None),
        "bright": (None, 1.0),
    }[score]
    if bright is None:
        return -difference
    return difference if dark is None else torch.maximum(-dark * difference, bright * difference)


def _median_filtered(volume: Tensor, sides: int) -> Tensor:
    image = sitk.Median(sitk.GetImageFromArray(volume[0].float().cpu().numpy()), [sides // 2] * 3)
    return torch.from_numpy(sitk.GetArrayFromImage(image))[None]


def _smoothed(volume: Tensor, inside: Tensor, sigma: float) -> Tensor:
    """A Gaussian mean over the voxels inside: what is outside counts neither as change nor as none."""
    sums, weights = (ndimage.gaussian_filter(part[0].float().cpu().numpy(), sigma) for part in (volume * inside, inside))
    return torch.from_numpy(sums / np.maximum(weights, 1e-3))[None]


def examined_region(brain: Tensor, score: Score = "both") -> Tensor:
    """Where an anomaly can be found, boolean [1, X, Y, Z]: the brain without its margin, whose residual is mostly the
    uncertainty of the brain mask. The margin is the outermost voxel; for `absolute` three voxels in every slice (pDDPM)."""
    inside = brain[0].cpu().numpy()
    if score == "absolute":
        return torch.from_numpy(ndimage.binary_erosion(inside, IN_PLANE, iterations=LINEAGE_MARGIN))[None]
    return torch.from_numpy(ndimage.binary_erosion(inside))[None]


def mask_of(score_map: np.ndarray, threshold: float, voxel_mm3: float, smallest_mm3: float = SMALLEST_LESION_MM3) -> np.ndarray:
    """The voxels of a map above a threshold, without connected findings (26 neighbours) smaller than `smallest_mm3`.

    The one way from a map to a mask, on the scan's own grid as well as on the model's; the Slicer extension, which imports
    nothing from here, goes the same way.
    """
    above = score_map > threshold
    components, count = ndimage.label(above, NEIGHBOURS)
    large = np.bincount(components.ravel(), minlength=count + 1) * voxel_mm3 >= smallest_mm3 * (1 - HEADER_PRECISION)
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
