"""Recognising a scan whose skull has been removed already."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from umaddpm_core.preprocessing.brain_extraction.masks import as_mask, largest_filled

LARGEST_SHARE = 0.5
"""What is not background fills at most this share of a stripped scan …"""
LARGEST_SHARE_CROPPED = 0.75
MOST_ON_FACES = 0.25
"""… or, where the scan was cut to the brain's box, at most this, and little of it touches the faces of the field of view."""
LARGEST_ML = 2300.0
"""With holes filled it is no larger than a brain."""


def stripped_mask(image: sitk.Image) -> sitk.Image | None:
    """The brain of a skull-stripped scan (uint8, on its grid), or None where the scan is not stripped.

    A stripped scan is recognised by its background, one exact value over a large part of the field of view, and by the
    size of the rest.
    """
    voxels = sitk.GetArrayViewFromImage(image)
    faces = np.concatenate([face.ravel() for face in _faces(voxels)])
    background = float(np.median(faces))
    foreground = voxels != background
    cropped = (faces != background).mean() <= MOST_ON_FACES
    if foreground.mean() > (LARGEST_SHARE_CROPPED if cropped else LARGEST_SHARE):
        return None
    mask = largest_filled(foreground)
    if mask.sum() * np.prod(image.GetSpacing()) / 1000 > LARGEST_ML:
        return None
    return as_mask(mask, image)


def _faces(voxels: np.ndarray) -> list[np.ndarray]:
    return [voxels.take(index, axis) for axis in range(3) for index in (0, -1)]
