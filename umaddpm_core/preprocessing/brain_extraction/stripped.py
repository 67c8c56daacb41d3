"""Recognising a scan whose skull has been removed already."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from umaddpm_core.preprocessing.brain_extraction.masks import as_mask, largest_filled

BACKGROUND_SHARE = 0.5
"""A stripped scan has at least this share of voxels of one and the same background value …"""
LARGEST_ML = 2300.0
"""… and what is not background, with holes filled, is no larger than a brain."""


def stripped_mask(image: sitk.Image) -> sitk.Image | None:
    """The brain of a skull-stripped scan (uint8, on its grid), or None where the scan is not stripped.

    A stripped scan is recognised by its background, one exact value over more than half of the field of view, and by
    the size of the rest.
    """
    voxels = sitk.GetArrayViewFromImage(image)
    background = float(np.median(np.concatenate([face.ravel() for face in _faces(voxels)])))
    foreground = voxels != background
    if foreground.mean() > 1 - BACKGROUND_SHARE:
        return None
    mask = largest_filled(foreground)
    if mask.sum() * np.prod(image.GetSpacing()) / 1000 > LARGEST_ML:
        return None
    return as_mask(mask, image)


def _faces(voxels: np.ndarray) -> list[np.ndarray]:
    return [voxels.take(index, axis) for axis in range(3) for index in (0, -1)]
