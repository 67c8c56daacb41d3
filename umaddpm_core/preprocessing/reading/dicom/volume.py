"""A DICOM series as a scan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.uid import UncompressedTransferSyntaxes

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.memory import require_memory
from umaddpm_core.preprocessing.reading.acquired import AcquiredScan
from umaddpm_core.preprocessing.reading.checks import checked
from umaddpm_core.preprocessing.reading.dicom.choice import chosen_series
from umaddpm_core.preprocessing.reading.dicom.frames import frames_of
from umaddpm_core.preprocessing.reading.dicom.headers import Series, find_series, is_dicom, read_header
from umaddpm_core.preprocessing.reading.dicom.stack import Stack, stacked
from umaddpm_core.preprocessing.reading.dicom.tags import acquisition_tags
from umaddpm_core.preprocessing.reading.modality import modality_from_name, modality_from_tags


def read_dicom(files: Sequence[Path], name: str, series: str | None = None) -> AcquiredScan:
    """The scan of the only MR series in DICOM files, or of the one that is named.

    Args:
        files: all DICOM.
        name: what messages and reports call the place they lie in.
        series: number, UID or exact description of the series.

    Raises:
        InputError: no such series, none or several, no volume, damaged, not MR or not of a head.
    """
    chosen, warnings = chosen_series(find_series(files), series, name)
    return _scan(chosen, name, warnings)


def read_dicom_file(path: Path, series: str | None = None) -> AcquiredScan:
    """The scan of the series that a file belongs to, from the files of that series in the same folder.

    Raises:
        InputError: as `read_dicom`.
    """
    uid = read_header(path).get("SeriesInstanceUID", "")
    beside = sorted(file for file in path.parent.iterdir() if file.is_file() and is_dicom(file))
    own = [one for one in find_series(beside) if one.uid == uid]
    chosen, warnings = chosen_series(own, series, path.name)
    return _scan(chosen, path.name, warnings)


def _scan(series: Series, place: str, warnings: list[str]) -> AcquiredScan:
    name = f"{place}, series {series.number}" if series.number else place
    stack = stacked([frame for path, header in series.files for frame in frames_of(path, header)], name)
    require_memory(stack.size, name)
    image = sitk.GetImageFromArray(_voxels(stack))
    image.SetSpacing(stack.spacing.tolist())
    image.SetDirection(stack.direction.ravel().tolist())
    image.SetOrigin(stack.origin.tolist())
    tags = acquisition_tags(series.header)
    if series.header.get("LossyImageCompression") == "01":
        warnings = [*warnings, f"{name} was compressed with loss, so fine detail may not be real."]
    return AcquiredScan(checked(image, name), name, modality_from_tags(tags) or modality_from_name(place), tags, tuple(warnings))


def _voxels(stack: Stack) -> np.ndarray:
    """Intensities [slices, rows, columns], float32, rescaled as the headers say."""
    columns, rows, slices = stack.size
    voxels = np.empty((slices, rows, columns), np.float32)
    by_file = sorted(enumerate(stack.frames), key=lambda numbered: numbered[1].path)
    for path, numbered in groupby(by_file, key=lambda numbered: numbered[1].path):
        stored = _decoded(path)
        for number, frame in numbered:
            voxels[number] = stored[frame.index] * frame.slope + frame.intercept
    return voxels


def _decoded(path: Path) -> np.ndarray:
    """Frames of one file, [frames, rows, columns]; GDCM rescales by what holds for the whole file."""
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkFloat32, imageIO="GDCMImageIO"))
    except RuntimeError as error:
        raise InputError(f"{path.name} cannot be decoded: {_why_not(path)}.") from error


def _why_not(path: Path) -> str:
    syntax = read_header(path).file_meta.get("TransferSyntaxUID")
    if syntax is not None and syntax not in UncompressedTransferSyntaxes:
        return f"it is damaged, truncated, or compressed in a way that is not read ({syntax.name})"
    return "it is damaged, truncated, or was saved without its pixel data"
