"""What every scan has to be, whatever it was saved as: a grid that holds a head, and voxels that show something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from umaddpm_core.errors import InputError

LARGEST_VOXELS = 512**3
SPACINGS_MM = (0.05, 20.0)
EXTENTS_MM = (60.0, 800.0)
LARGEST_SHEAR_DEGREES = 0.1
"""Axes this far from perpendicular are taken for rounding errors and straightened: below 0.3 mm across a head."""
AIR_HOUNSFIELD = (-1100.0, -900.0)
AIR_SHARE = 0.1
"""A volume with this share of voxels in that range is a CT: air measures −1000 Hounsfield units."""


def check_grid(size: Sequence[int], spacing: Sequence[float], name: str, components: int = 1) -> None:
    """Refuse a grid that cannot be that of a scan; for headers, before any voxel is read.

    Args:
        size: voxels along each axis; axes beyond the third have to have one.
        spacing: mm.
        components: values per voxel.

    Raises:
        InputError: not one volume of single values, or spacing, number of voxels or extent are absurd.
    """
    if len(size) > 3 and any(side > 1 for side in size[3:]):
        raise InputError(f"{name} is a series of {int(np.prod(size[3:], dtype=float))} volumes; give one volume.")
    if len(size) < 3 or min(size[:3]) < 2:
        raise InputError(f"{name} is not a volume: its size is {' × '.join(map(str, size))}.")
    if components != 1:
        raise InputError(f"{name} has {components} values per voxel, as colour pictures have; a scan has one.")
    voxels = np.prod(size, dtype=float)
    if voxels > LARGEST_VOXELS:
        raise InputError(f"{name} has {voxels / 1e6:.0f} million voxels; at most {LARGEST_VOXELS / 1e6:.0f} million are read.")
    shortest, longest = SPACINGS_MM
    if not np.all(np.isfinite(spacing)) or not shortest <= min(spacing[:3]) <= max(spacing[:3]) <= longest:
        raise InputError(
            f"{name} has a voxel spacing of {_by(spacing, 'g')} mm; that of a scan lies between {shortest:g} and {longest:g} mm."
        )
    extent = [side * step for side, step in zip(size[:3], spacing)]
    if min(extent) < EXTENTS_MM[0]:
        raise InputError(f"{name} covers only {_by(extent, '.0f')} mm; a brain does not fit.")
    if max(extent) > EXTENTS_MM[1]:
        raise InputError(f"{name} covers {_by(extent, '.0f')} mm; that is more than a scan of a head.")


def checked(image: sitk.Image, name: str) -> sitk.Image:
    """The image as float32, with axes that are exactly perpendicular.

    Raises:
        InputError: not the grid of a scan, sheared, voxels that are not numbers or all the same, or a CT.
    """
    check_grid(image.GetSize(), image.GetSpacing(), name, image.GetNumberOfComponentsPerPixel())
    while image.GetDimension() > 3:
        image = image[..., 0]
    image = sitk.Cast(image, sitk.sitkFloat32)
    image.SetDirection(_perpendicular(np.reshape(image.GetDirection(), (3, 3)), name).ravel().tolist())
    voxels = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(image.GetOrigin()).all():
        raise InputError(f"{name} does not say where it lies: its origin is not a number.")
    if not np.isfinite(voxels).all():
        raise InputError(f"{name} holds voxels that are not numbers (NaN or infinite).")
    if voxels.min() == voxels.max():
        raise InputError(f"{name} is empty: every voxel is {voxels.min():g}.")
    if np.mean((voxels > AIR_HOUNSFIELD[0]) & (voxels < AIR_HOUNSFIELD[1])) > AIR_SHARE:
        raise InputError(f"{name} looks like a CT: much of it has the Hounsfield value of air; give an MR scan.")
    return image


def _perpendicular(direction: np.ndarray, name: str) -> np.ndarray:
    """The nearest matrix [3, 3] whose columns are perpendicular and of length one."""
    if not np.isfinite(direction).all() or abs(np.linalg.det(direction)) < 1e-3:
        raise InputError(f"{name} does not say where it lies: its axes are not three directions.")
    columns = direction / np.linalg.norm(direction, axis=0)
    cosines = (columns.T @ columns)[np.triu_indices(3, 1)]
    shear = np.degrees(np.arcsin(min(np.abs(cosines).max(), 1.0)))
    if shear > LARGEST_SHEAR_DEGREES:
        raise InputError(
            f"{name} is sheared: its axes are up to {shear:.1f}° from perpendicular; resample it to a rectangular grid first."
        )
    left, _, right = np.linalg.svd(columns)
    return left @ right


def _by(sides: Sequence[float], form: str) -> str:
    return " × ".join(format(side, form) for side in sides[:3])
