"""Reading a scan, and refusing what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.nifti import SUFFIXES as NIFTI
from umaddpm_core.preprocessing.nifti import check_nifti

READABLE = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
SMALLEST_EXTENT_MM = 60.0
LARGEST_VOXELS = 512**3


def read_scan(source: str | Path | sitk.Image) -> sitk.Image:
    """The scan as a float32 image with its own size, spacing, origin and direction.

    Args:
        source: a NIfTI, NRRD or MetaImage file, or an image already in memory.

    Raises:
        InputError: missing, unreadable, truncated, not three-dimensional, no finite contrast, or a grid without extent.
    """
    if isinstance(source, sitk.Image):
        image, name = source, "The image"
    else:
        image, name = _read_file(Path(source)), Path(source).name
    return _checked(image, name)


def scan_name(source: str | Path) -> str:
    """File name without its image suffix: `case.nii.gz` gives `case`."""
    name = Path(source).name
    for suffix in sorted(READABLE, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def same_grid(first: sitk.Image, second: sitk.Image, tolerance: float = 1e-3) -> bool:
    """Whether two images have the same size, and spacing, origin and direction within `tolerance` (mm)."""
    return first.GetSize() == second.GetSize() and all(
        np.allclose(getattr(first, attribute)(), getattr(second, attribute)(), atol=tolerance)
        for attribute in ("GetSpacing", "GetOrigin", "GetDirection")
    )


def _read_file(path: Path) -> sitk.Image:
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one image file ({', '.join(READABLE)}).")
    if not path.name.lower().endswith(READABLE):
        raise InputError(f"{path.name} is not an image file this program reads ({', '.join(READABLE)}).")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _check_header(reader.GetSize(), reader.GetSpacing(), path.name)
        if path.name.lower().endswith(NIFTI):
            check_nifti(path, LARGEST_VOXELS)
        return reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path.name} cannot be read as an image: it is damaged, truncated or of another kind.") from error


def _check_header(size: tuple[int, ...], spacing: tuple[float, ...], name: str) -> None:
    sides = [side for side in size if side > 1]
    if len(size) > 3 and any(side > 1 for side in size[3:]):
        raise InputError(f"{name} is a series of {int(np.prod(size[3:]))} volumes; give one volume.")
    if len(size) < 3 or len(sides) < 3:
        raise InputError(f"{name} is not a volume: its size is {' × '.join(map(str, size))}.")
    if not np.all(np.isfinite(spacing)) or min(spacing[:3]) <= 0:
        raise InputError(f"{name} has a voxel spacing of {' × '.join(f'{s:g}' for s in spacing[:3])} mm.")
    if np.prod(size) > LARGEST_VOXELS:
        raise InputError(f"{name} has {np.prod(size) / 1e6:.0f} million voxels; at most {LARGEST_VOXELS / 1e6:.0f} million are read.")


def _checked(image: sitk.Image, name: str) -> sitk.Image:
    _check_header(image.GetSize(), image.GetSpacing(), name)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{name} has {image.GetNumberOfComponentsPerPixel()} values per voxel; a scan has one.")
    if image.GetDimension() == 4:
        image = image[:, :, :, 0]
    extent = [side * spacing for side, spacing in zip(image.GetSize(), image.GetSpacing())]
    if min(extent) < SMALLEST_EXTENT_MM:
        raise InputError(f"{name} covers only {' × '.join(f'{side:.0f}' for side in extent)} mm; a brain does not fit.")
    direction = np.array(image.GetDirection()).reshape(3, 3)
    if not np.isfinite(direction).all() or abs(abs(np.linalg.det(direction)) - 1) > 1e-2:
        raise InputError(f"{name} has a header whose axes are not perpendicular.")
    image = sitk.Cast(image, sitk.sitkFloat32)
    voxels = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(voxels).all():
        raise InputError(f"{name} holds voxels that are not numbers (NaN or infinite).")
    if voxels.min() == voxels.max():
        raise InputError(f"{name} is empty: every voxel is {voxels.min():g}.")
    return image
