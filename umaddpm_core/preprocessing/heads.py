"""A head as the brain extractor sees it: upright, 2 mm, intensities 0–1."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from umaddpm_core.networks.brain_extractor import DIVISOR, SPACING_MM

INTENSITY_PERCENTILES = (1.0, 99.5)
"""Of the voxels that are not background; mapped to 0 and 1."""


def upright(image: sitk.Image) -> sitk.Image:
    """The image with its voxel axes in the order left, posterior, superior, as its header says; nothing is resampled."""
    return sitk.DICOMOrient(image, "LPS")


def coarse_grid(image: sitk.Image) -> sitk.Image:
    """An empty 2 mm axis-aligned grid around the whole of `image`, its sides multiples of `DIVISOR` voxels."""
    size = np.array(image.GetSize())
    corners = [
        image.TransformContinuousIndexToPhysicalPoint([float(bit * side) - 0.5 for bit, side in zip(bits, size)])
        for bits in np.ndindex(2, 2, 2)
    ]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    sides = np.maximum(np.ceil((high - low) / SPACING_MM / DIVISOR) * DIVISOR, 4 * DIVISOR).astype(int)
    grid = sitk.Image([int(side) for side in sides], sitk.sitkUInt8)
    grid.SetSpacing([SPACING_MM] * 3)
    centre = (low + high) / 2
    grid.SetOrigin([float(c - SPACING_MM * (side - 1) / 2) for c, side in zip(centre, sides)])
    return grid


def coarse(image: sitk.Image, grid: sitk.Image) -> np.ndarray:
    """`image` smoothed to the grid's resolution and resampled on it: float32 [z, y, x]."""
    smooth = image
    for axis, spacing in enumerate(image.GetSpacing()):
        if spacing < SPACING_MM and image.GetSize()[axis] >= 4:
            smooth = sitk.RecursiveGaussian(smooth, sigma=0.4 * SPACING_MM, direction=axis)
    return sitk.GetArrayFromImage(sitk.Resample(smooth, grid, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32))


def unit_intensity(head: np.ndarray) -> np.ndarray:
    """Intensities of a head scaled to 0–1 between percentiles of its foreground."""
    foreground = head[head > head.min() + 0.02 * (np.percentile(head, 99.9) - head.min())]
    low, high = np.percentile(foreground if foreground.size else head, INTENSITY_PERCENTILES)
    low = min(low, head.min() + 0.1 * (high - head.min()))
    return np.clip((head - low) / max(high - low, 1e-6), 0.0, 1.0).astype(np.float32)
