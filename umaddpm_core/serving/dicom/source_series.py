"""The DICOM files a scan was read from, in the order of its slices, so that results can refer to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.archive import unpacked
from umaddpm_core.preprocessing.reading.dicom.choice import chosen_series
from umaddpm_core.preprocessing.reading.dicom.frames import frames_of
from umaddpm_core.preprocessing.reading.dicom.headers import Series, find_series, is_dicom, read_header
from umaddpm_core.preprocessing.reading.dicom.stack import Stack, stacked
from umaddpm_core.preprocessing.reading.files import READABLE
from umaddpm_core.preprocessing.reading.source import ARCHIVE

REQUIRED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
"""What a result takes over or refers to (PS3.3, type 1 for MR images)."""

MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime",
    "ReferringPhysicianName",
)  # fmt: skip
"""Type 2 of the standard: has to be there, and anonymised files often lack it."""

SHARED = ("PlaneOrientationSequence", "PixelMeasuresSequence")


@dataclass(frozen=True)
class SourceSeries:
    """The series of a scan.

    Attributes:
        headers: without pixels; one per slice in the order of the volume's slices, or a single multi-frame one.
        order: for every frame of `headers`, which slice of the volume it is.
        shape: slices, rows and columns of the volume.
    """

    headers: list[Dataset]
    order: np.ndarray
    shape: tuple[int, int, int]

    @property
    def header(self) -> Dataset:
        """What holds for the whole series is the same in every header."""
        return self.headers[0]

    def frames(self, volume: np.ndarray) -> np.ndarray:
        """Slices of a volume [slices, rows, columns] in the order of the frames.

        Raises:
            InputError: the volume is not on the grid of the series.
        """
        if volume.shape != self.shape:
            sizes = [" × ".join(map(str, shape[::-1])) for shape in (volume.shape, self.shape)]
            raise InputError(f"The result has {sizes[0]} voxels and its DICOM series {sizes[1]}, so it cannot refer to it.")
        return np.ascontiguousarray(volume[self.order])


def source_series(scan: Path, series: str | None = None) -> SourceSeries | None:
    """The series that `read_scan` reads the scan from; None where the scan is not DICOM.

    Args:
        scan: a file, folder or zip, as for `read_scan`.
        series: number, UID or description, where several lie together.

    Raises:
        InputError: the series cannot be read, or has no identifiers that a result could refer to.
    """
    with _dicom_files(scan) as files:
        if not files:
            return None
        chosen, _ = chosen_series(find_series(files), series, scan.name)
        stack = stacked([frame for path, header in chosen.files for frame in frames_of(path, header)], scan.name)
        return _source(chosen, stack, scan.name)


@contextmanager
def _dicom_files(scan: Path) -> Iterator[list[Path]]:
    """The files that `read_scan` chooses the series from."""
    if scan.is_dir():
        yield _dicom_in(scan)
    elif scan.name.lower().endswith(ARCHIVE):
        with unpacked(scan) as folder:
            yield _dicom_in(folder)
    elif scan.name.lower().endswith(READABLE) or not is_dicom(scan):
        yield []
    else:
        uid = read_header(scan).get("SeriesInstanceUID", "")
        own = [one for one in find_series(_dicom_in(scan.parent)) if one.uid == uid]
        yield [path for one in own for path, _ in one.files]


def _dicom_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and is_dicom(file))


def _source(series: Series, stack: Stack, name: str) -> SourceSeries:
    columns, rows, slices = stack.size
    multi_frame = any("PerFrameFunctionalGroupsSequence" in header for _, header in series.files)
    if multi_frame and len(series.files) > 1:
        raise InputError(f"{name} is split over several multi-frame files, and a DICOM result can refer to one only.")
    paths = [series.files[0][0]] if multi_frame else [frame.path for frame in stack.frames]
    order = np.arange(slices)
    if multi_frame:
        order = np.argsort([frame.index for frame in stack.frames])
    elif len(set(paths)) < len(paths):
        raise InputError(f"{name} has several slices in a file that does not say where each lies in space.")
    headers = [_completed(pydicom.dcmread(path, stop_before_pixels=True), stack, name, multi_frame) for path in paths]
    return SourceSeries(headers, order, (slices, rows, columns))


def _completed(header: Dataset, stack: Stack, name: str, multi_frame: bool) -> Dataset:
    """The header with everything that the writer of results asks it for."""
    if lacking := [keyword for keyword in REQUIRED if not header.get(keyword)]:
        raise InputError(f"{name} lacks {' and '.join(lacking)} in its DICOM headers, so no DICOM result can refer to it.")
    for keyword in MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")
    if multi_frame:
        shared, first = header.SharedFunctionalGroupsSequence[0], header.PerFrameFunctionalGroupsSequence[0]
        for group in SHARED:
            if group not in shared and group in first:
                setattr(shared, group, Sequence(first[group].value))
    else:
        # A single slice may say that it has one frame, which would be taken for a multi-frame file.
        header.pop("NumberOfFrames", None)
        header.SliceThickness = header.get("SliceThickness") or round(float(stack.spacing[2]), 6)
        header.SpacingBetweenSlices = round(float(stack.spacing[2]), 6)
    return header
