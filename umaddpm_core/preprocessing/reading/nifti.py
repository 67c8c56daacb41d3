"""NIfTI files. Read with nibabel: ITK prefers the qform to most sforms and turns NaN into 0 and spacing 0 into 1."""

from __future__ import annotations

import zlib
from itertools import product
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.memory import require_memory
from umaddpm_core.preprocessing.reading.checks import check_grid

NIFTI = (".nii", ".nii.gz")
UNITS_MM = {1: 1000.0, 3: 0.001}
"""Length units of the header (field `xyzt_units`, lowest three bits) that are not millimetres: metres and micrometres."""
DISAGREEMENT_MM = 0.1


def read_nifti(path: Path) -> tuple[sitk.Image, list[str]]:
    """The volume of a NIfTI-1 or NIfTI-2 file, and warnings about its header.

    Intensities are scaled by `scl_slope` and `scl_inter`. The position is that of the sform where its code is set, else
    that of the qform.

    Raises:
        InputError: damaged, truncated, not the grid of a scan; the latter known before any voxel is read.
    """
    try:
        unit = _check_stored_spacing(path)
        image = nib.load(path)
        scale = np.diag([unit, unit, unit, 1.0])
        affine = scale @ image.affine
        kind = image.get_data_dtype()
        values = len(kind.fields) if kind.fields else 1 + (kind.kind == "c")
        check_grid(image.shape, np.linalg.norm(affine[:3, :3], axis=0), path.name, values)
        require_memory(image.shape, path.name)
        voxels = image.get_fdata(dtype=np.float32).reshape(image.shape[:3])
    except InputError:
        raise
    except (ImageFileError, HeaderDataError, WrapStructError, EOFError, OSError, OverflowError, ValueError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read as an image: it is damaged, truncated or of another kind.") from error
    return _placed(voxels, affine), _position_warnings(image, scale, path.name)


def _check_stored_spacing(path: Path) -> float:
    """Refuse a `pixdim` that is no spacing, which every reader mends on loading, and return its unit in millimetres."""
    with ImageOpener(path) as file:
        start = file.read(4)
        file.seek(0)
        second = 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big"))
        header = (nib.Nifti2Header if second else nib.Nifti1Header).from_fileobj(file, check=False)
    spacing = np.abs(np.asarray(header["pixdim"][1:4], dtype=float))
    if not np.isfinite(spacing).all() or (spacing == 0).any():
        raise InputError(f"{path.name} has a voxel spacing of {' × '.join(f'{step:g}' for step in spacing)} mm.")
    return UNITS_MM.get(int(header["xyzt_units"]) & 7, 1.0)


def _placed(voxels: np.ndarray, affine: np.ndarray) -> sitk.Image:
    """Voxels [X, Y, Z] at an affine in RAS millimetres, as an image in ITK's LPS."""
    image = sitk.GetImageFromArray(voxels.T)
    axes = np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :3]
    spacing = np.linalg.norm(axes, axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((axes / spacing).ravel().tolist())
    image.SetOrigin((affine[:3, 3] * (-1, -1, 1)).tolist())
    return image


def _position_warnings(image: nib.Nifti1Image, scale: np.ndarray, name: str) -> list[str]:
    sform = image.get_sform(coded=True)[0]
    try:
        qform = image.get_qform(coded=True)[0]
    except ValueError:  # not a rotation; were it needed, the file could not have been read
        qform = None
    if sform is None and qform is None:
        return [f"{name} does not say how it is oriented, so its left and right may be exchanged."]
    if sform is None or qform is None:
        return []
    corners = np.array([(*corner, 1) for corner in product(*((0, side - 1) for side in image.shape[:3]))])
    distance = np.linalg.norm(corners @ (scale @ (sform - qform)).T, axis=1).max()
    if distance <= DISAGREEMENT_MM:
        return []
    turn = np.degrees(np.arccos(np.clip((np.trace(_rotation(sform) @ _rotation(qform).T) - 1) / 2, -1, 1)))
    return [
        f"{name} gives two positions, and its sform is used; the qform differs by up to {distance:.1f} mm at the corners "
        f"and {turn:.1f}°."
    ]


def _rotation(affine: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(affine[:3, :3])
    return left @ right
