"""The model's grid: SRI24 axes, 2 mm, 96 × 96 pixels in plane, axial slices last."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from umaddpm_core.preprocessing.choices import Coverage

SPACING_MM = 2.0
VOXEL_MM3 = SPACING_MM**3
SIZE = 96
MOST_SLICES = 80
PAPER_SLICES = 50


def brain_grid(brain: sitk.Image, to_scan: sitk.Transform, template: sitk.Image, coverage: Coverage = "brain") -> sitk.Image:
    """An empty grid centred on the box around a brain in template space.

    Args:
        brain: mask on the scan's grid.
        to_scan: maps points of template space to points of the scan.
        template: any image of the template, for where template space is.
        coverage: `brain` for every slice that holds brain (at most 80), `paper` for the central 50.
    """
    wide = sitk.Image([128, 128, 112], sitk.sitkUInt8)
    wide.SetSpacing([SPACING_MM] * 3)
    middle = template.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in template.GetSize()])
    wide.SetOrigin([m - SPACING_MM * (side - 1) / 2 for m, side in zip(middle, wide.GetSize())])
    inside = sitk.GetArrayFromImage(resampled(brain, wide, to_scan, sitk.sitkLinear)) > 0.5
    size, origin = [], []
    for axis in range(3):
        occupied = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != 2 - axis)))
        extent = int(occupied[-1] - occupied[0] + 1)
        sides = SIZE if axis < 2 else (min(extent, MOST_SLICES) if coverage == "brain" else PAPER_SLICES)
        first = (occupied[0] + occupied[-1]) / 2 - (sides - 1) / 2
        size.append(sides)
        origin.append(wide.GetOrigin()[axis] + SPACING_MM * float(first))
    grid = sitk.Image(size, sitk.sitkUInt8)
    grid.SetSpacing([SPACING_MM] * 3)
    grid.SetOrigin(origin)
    return grid


def antialiased(image: sitk.Image) -> sitk.Image:
    """`image` without detail that the grid cannot hold, along the axes that are sampled more finely."""
    for axis, spacing in enumerate(image.GetSpacing()):
        if spacing < 0.75 * SPACING_MM:
            image = sitk.RecursiveGaussian(image, sigma=0.35 * SPACING_MM, direction=axis)
    return image


def resampled(image: sitk.Image, like: sitk.Image, transform: sitk.Transform, interpolator: int) -> sitk.Image:
    """`image` as float32 on the grid of `like`; `transform` maps points of `like` to points of `image`."""
    return sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), like, transform, interpolator, 0.0, sitk.sitkFloat32)


def to_tensor(image: sitk.Image) -> Tensor:
    """An image on the grid as a tensor [1, x, y, z]."""
    return torch.from_numpy(np.ascontiguousarray(sitk.GetArrayFromImage(image).transpose(2, 1, 0)))[None]


def to_image(volume: Tensor, grid: sitk.Image) -> sitk.Image:
    """A tensor [1, x, y, z] as a float32 image with the geometry of `grid`."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume[0].float().cpu().numpy().transpose(2, 1, 0)))
    image.CopyInformation(grid)
    return image
