"""What every way of finding the brain needs of a mask."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage


def mask_ml(mask: sitk.Image) -> float:
    """Volume of a mask in millilitres."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()) / 1000)


def binarised(mask: sitk.Image) -> np.ndarray:
    """What a mask marks: boolean [z, y, x]. Labels count above 0, fractions (a blurred or probability mask) from one half."""
    voxels = sitk.GetArrayFromImage(mask)
    if voxels.dtype.kind == "f" and (voxels != np.round(voxels)).any():
        return voxels >= 0.5
    return voxels > 0


def largest_filled(mask: np.ndarray) -> np.ndarray:
    """The largest connected component of a boolean array, its holes filled."""
    components, count = ndimage.label(mask)
    if count > 1:
        sizes = np.bincount(components.ravel())
        sizes[0] = 0
        mask = components == sizes.argmax()
    return ndimage.binary_fill_holes(mask)


def as_mask(voxels: np.ndarray, like: sitk.Image) -> sitk.Image:
    """A boolean array [z, y, x] as a uint8 image with the geometry of `like`."""
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.CopyInformation(like)
    return image
