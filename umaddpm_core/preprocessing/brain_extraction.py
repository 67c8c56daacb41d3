"""Which voxels of a scan are brain: already stripped, given by the user, or found by the bundled network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk
import torch
from scipy import ndimage

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.networks.brain_extractor import brain_extractor
from umaddpm_core.preprocessing.heads import coarse, coarse_grid, unit_intensity, upright
from umaddpm_core.resources import BRAIN_EXTRACTOR

PLAUSIBLE_BRAIN_ML = (600.0, 2300.0)
STRIPPED_BACKGROUND = 0.5
"""A stripped scan has at least this share of voxels of one and the same background value …"""
STRIPPED_LARGEST_ML = 2300.0
"""… and what is not background, with holes filled, is no larger than a brain."""


def brain_mask(image: sitk.Image, given: sitk.Image | None = None) -> tuple[sitk.Image, str]:
    """The brain of a scan, and how it was found: `given`, `stripped` or `bundled`.

    Args:
        image: the scan, any grid.
        given: the user's own mask on the scan's grid (non-zero is brain).

    Returns:
        A uint8 mask on the scan's grid, and the name of the way.

    Raises:
        InputError: the volume found is not that of a brain.
    """
    if given is not None:
        mask, way = sitk.Cast(given != 0, sitk.sitkUInt8), "given"
        mask.CopyInformation(image)
    else:
        mask, way = stripped_mask(image), "stripped"
        if mask is None:
            mask, way = _extracted(image), "bundled"
    volume = mask_ml(mask)
    low, high = PLAUSIBLE_BRAIN_ML
    if not low <= volume <= high:
        raise InputError(
            f"No brain was found in this scan: what looks like one measures {volume:.0f} ml (a brain: {low:.0f}–{high:.0f} ml)."
        )
    return mask, way


def mask_ml(mask: sitk.Image) -> float:
    """Volume of a mask in millilitres."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()) / 1000)


def stripped_mask(image: sitk.Image) -> sitk.Image | None:
    """The brain of a skull-stripped scan, or None where the scan is not stripped.

    A stripped scan is recognised by its background, one exact value over more than half of the field of view, and by
    the size of the rest.
    """
    voxels = sitk.GetArrayViewFromImage(image)
    background = float(np.median(np.concatenate([face.ravel() for face in _faces(voxels)])))
    foreground = voxels != background
    if foreground.mean() > 1 - STRIPPED_BACKGROUND:
        return None
    mask = _largest_filled(foreground)
    if mask.sum() * np.prod(image.GetSpacing()) / 1000 > STRIPPED_LARGEST_ML:
        return None
    return _as_image(mask, image)


def _extracted(image: sitk.Image) -> sitk.Image:
    scan = upright(image)
    grid = coarse_grid(scan)
    head = torch.from_numpy(unit_intensity(coarse(scan, grid)))
    with torch.inference_mode():
        probability = torch.sigmoid(_network()(head[None, None]))[0, 0]
    coarse_probability = sitk.GetImageFromArray(probability.numpy())
    coarse_probability.CopyInformation(grid)
    on_scan = sitk.Resample(coarse_probability, image, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    return _as_image(_largest_filled(sitk.GetArrayViewFromImage(on_scan) > 0.5), image)


@lru_cache(maxsize=1)
def _network() -> torch.nn.Module:
    artefact = Artefact.load(BRAIN_EXTRACTOR)
    network = brain_extractor(**artefact.config)
    network.load_state_dict(artefact.weights)
    return network.eval()


def _largest_filled(mask: np.ndarray) -> np.ndarray:
    components, count = ndimage.label(mask)
    if count > 1:
        sizes = np.bincount(components.ravel())
        sizes[0] = 0
        mask = components == sizes.argmax()
    return ndimage.binary_fill_holes(mask)


def _faces(voxels: np.ndarray) -> list[np.ndarray]:
    return [voxels.take(index, axis) for axis in range(3) for index in (0, -1)]


def _as_image(mask: np.ndarray, like: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.CopyInformation(like)
    return image
