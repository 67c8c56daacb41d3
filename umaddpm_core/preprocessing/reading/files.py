"""Volumes that are one file: NIfTI, NRRD and MetaImage."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.memory import require_memory
from umaddpm_core.preprocessing.reading.checks import check_grid
from umaddpm_core.preprocessing.reading.nifti import NIFTI, read_nifti

NRRD = (".nrrd", ".nhdr")
METAIMAGE = (".mha", ".mhd")
READABLE = (*NIFTI, *NRRD, *METAIMAGE)


def read_file(path: Path) -> tuple[sitk.Image, list[str]]:
    """The volume of a file with one of the suffixes `READABLE`, and warnings about its header.

    Raises:
        InputError: damaged, truncated, of another kind, or not the grid of a scan; known from the header where possible.
    """
    if path.name.lower().endswith(NIFTI):
        return read_nifti(path)
    is_nrrd = path.name.lower().endswith(NRRD)
    reader = sitk.ImageFileReader()
    # Named, so that the content cannot choose another reader than the suffix says.
    reader.SetImageIO("NrrdImageIO" if is_nrrd else "MetaImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        check_grid(reader.GetSize(), reader.GetSpacing(), path.name, reader.GetNumberOfComponents())
        require_memory(reader.GetSize(), path.name)
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path.name} cannot be read as an image: it is damaged, truncated or of another kind.") from error
    if is_nrrd and "NRRD_space" not in reader.GetMetaDataKeys():
        return image, [f"{path.name} does not say how it is oriented, so its left and right may be exchanged."]
    return image, []


def read_mask(path: Path) -> sitk.Image:
    """A mask file, which may be empty: uint8, 1 where it holds 0.5 or more; errors as for `read_file`."""
    image, _ = read_file(path)
    return sitk.Cast(sitk.Cast(image, sitk.sitkFloat32) >= 0.5, sitk.sitkUInt8)
