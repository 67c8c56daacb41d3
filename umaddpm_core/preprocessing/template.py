"""Building the population template: the average healthy brain in SRI24 space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.grid import SPACING_MM, resampled
from umaddpm_core.preprocessing.heads import upright
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.preprocessing.writing import write_image

GREY_LEVELS = 255


def build_template(
    scans: Iterable[Path], atlas: Path, template: Path, template_brain: Path, progress: Callable[[int], None] | None = None
) -> int:
    """Average the brains of `scans`, registered affinely to `atlas`, and write template and mask.

    Args:
        scans: healthy T1 scans, with or without skull.
        atlas: SRI24 T1 without skull.
        template, template_brain: where the two 2 mm uint8 images go.
        progress: told how many scans are done.

    Returns:
        How many scans went in; one that cannot be stripped or registered is left out.
    """
    reference = upright(sitk.ReadImage(str(atlas), sitk.sitkFloat32))
    reference_brain = sitk.Cast(reference > 0, sitk.sitkUInt8)
    grid = _half_resolution(reference)
    total = np.zeros(grid.GetSize()[::-1])
    inside = np.zeros_like(total)
    used = 0
    for number, path in enumerate(scans, 1):
        try:
            scan = read_scan(path).image
            mask, _ = brain_mask(scan)
            transform = register(scan, mask, reference, reference_brain).transform
        except InputError:
            continue
        finally:
            if progress:
                progress(number)
        brain = sitk.GetArrayFromImage(resampled(mask, grid, transform, sitk.sitkLinear))
        voxels = sitk.GetArrayFromImage(resampled(scan, grid, transform, sitk.sitkBSpline))
        low, high = np.percentile(voxels[brain > 0.5], (1, 99))
        total += np.clip((voxels - low) / (high - low), 0, 1) * brain
        inside += brain
        used += 1
    if not used:
        raise InputError("No scan could be registered to the atlas, so there is no template.")
    mean = np.where(inside > 0.5 * used, total / np.maximum(inside, 1e-6), 0)
    _write(np.where(inside > 0.5 * used, 1 + (GREY_LEVELS - 1) * mean, 0), grid, template)
    _write(inside > 0.5 * used, grid, template_brain)
    return used


def _half_resolution(reference: sitk.Image) -> sitk.Image:
    size = [int(np.ceil(n * s / SPACING_MM)) for n, s in zip(reference.GetSize(), reference.GetSpacing())]
    grid = sitk.Image(size, sitk.sitkUInt8)
    grid.SetSpacing([SPACING_MM] * 3)
    grid.SetOrigin(reference.GetOrigin())
    return grid


def _write(voxels: np.ndarray, grid: sitk.Image, path: Path) -> None:
    image = sitk.GetImageFromArray(np.rint(voxels).astype(np.uint8))
    image.CopyInformation(grid)
    write_image(image, path)
