"""What ITK does not say of a broken NIfTI file: it fills a truncated one with zeros, turns NaN into 0 and spacing 0 into 1."""

from __future__ import annotations

import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError

from umaddpm_core.errors import InputError

SUFFIXES = (".nii", ".nii.gz")


def check_nifti(path: Path, largest_voxels: int) -> None:
    """Refuse a NIfTI file that is damaged, has no spacing, or holds voxels that are not numbers.

    Raises:
        InputError: one of these, or more than `largest_voxels` voxels (NIfTI-1 standard: `dim`, `pixdim`).
    """
    try:
        spacing = _stored_spacing(path)
        if not np.isfinite(spacing).all() or (spacing <= 0).any():
            raise InputError(f"{path.name} has a voxel spacing of {' × '.join(f'{s:g}' for s in spacing)} mm.")
        image = nib.load(path)
        if np.prod([float(side) for side in image.shape]) > largest_voxels:
            raise InputError(f"{path.name} has more than {largest_voxels / 1e6:.0f} million voxels, the most that are read.")
        finite = np.isfinite(np.asanyarray(image.dataobj)).all()
    except (ImageFileError, HeaderDataError, EOFError, OSError, zlib.error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} cannot be read as an image: it is damaged, truncated or of another kind.") from error
    if not finite:
        raise InputError(f"{path.name} holds voxels that are not numbers (NaN or infinite).")


def _stored_spacing(path: Path) -> np.ndarray:
    """`pixdim` as it stands in the file; every reader mends it on loading."""
    with ImageOpener(path) as file:
        start = file.read(4)
        file.seek(0)
        second = 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big"))
        header = (nib.Nifti2Header if second else nib.Nifti1Header).from_fileobj(file, check=False)
    return np.abs(np.asarray(header["pixdim"][1:4], dtype=float))
