"""Single slices of DICOM files: one per file, or many in an enhanced multi-frame file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from umaddpm_core.errors import InputError

RESCALING = "PixelValueTransformationSequence"


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice.

    Attributes:
        path, index: the file, and which of its frames.
        size: rows and columns.
        position: of the first voxel's centre, [3], mm (LPS).
        axes: directions in which columns and rows are counted, [2, 3].
        spacing: between columns and between rows, [2], mm.
        slope, intercept: make this frame's intensities of what GDCM decodes, which are rescaled like the first frame's.
    """

    path: Path
    index: int
    size: tuple[int, int]
    position: np.ndarray
    axes: np.ndarray
    spacing: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0


def frames_of(path: Path, header: Dataset) -> list[Frame]:
    """The slices of one file (PS3.3 sections C.7.6.2 and C.7.6.16); `header` is from `read_header`.

    Raises:
        InputError: no image, several values per voxel, slices laid out side by side, or no position in space.
    """
    if not header.Rows or not header.Columns:
        raise InputError(f"{path.name} holds no image: it is damaged, or was saved without its pixel data.")
    if header.SamplesPerPixel != 1:
        raise InputError(f"{path.name} has {header.SamplesPerPixel} values per voxel, as colour pictures have; a scan has one.")
    if "MOSAIC" in (header.get("ImageType") or []):
        raise InputError(f"{path.name} is a mosaic, which has its slices side by side; convert it to a volume first.")
    return [_frame(path, header, index) for index in range(header.NumberOfFrames)]


def functional(header: Dataset, index: int, group: str, keyword: str) -> Any:
    """What the functional group of one frame says, that of all frames where it says nothing, or None."""
    item = _group(header, "PerFrameFunctionalGroupsSequence", index, group)
    own = item.get(keyword) if item is not None else None
    if own is not None:
        return own
    item = _group(header, "SharedFunctionalGroupsSequence", 0, group)
    return item.get(keyword) if item is not None else None


def _group(header: Dataset, sequence: str, index: int, group: str) -> Dataset | None:
    groups = _items(header, sequence)
    items = _items(groups[index], group) if index < len(groups) else []
    return items[0] if items else None


def _items(dataset: Dataset, sequence: str) -> list[Dataset]:
    items = dataset.get(sequence)
    return list(items) if isinstance(items, Sequence) else []


def _frame(path: Path, header: Dataset, index: int) -> Frame:
    def numbers(group: str, keyword: str, count: int, frame: int = index, default: float | None = None) -> np.ndarray:
        found = functional(header, frame, group, keyword)
        found = found if found is not None else header.get(keyword, default)
        try:
            values = np.array(found, dtype=float).reshape(count)
        except (TypeError, ValueError):
            values = np.full(count, np.nan)
        if not np.isfinite(values).all():
            raise InputError(f"{path.name} has no valid {keyword} in its DICOM header, so it cannot be put in its place.")
        return values

    def rescaling(frame: int) -> tuple[float, float]:
        # Not asked of the header's top level: GDCM applies what stands there.
        if functional(header, frame, RESCALING, "RescaleSlope") is None:
            return 1.0, 0.0
        return tuple(numbers(RESCALING, f"Rescale{what}", 1, frame, 0.0)[0] for what in ("Slope", "Intercept"))

    axes = numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6).reshape(2, 3)
    if not np.allclose(axes @ axes.T, np.eye(2), atol=5e-3):
        raise InputError(f"{path.name} gives rows and columns that are not perpendicular (DICOM ImageOrientationPatient).")
    slope, intercept = rescaling(index)
    done_slope, done_intercept = rescaling(0)
    return Frame(
        path=path,
        index=index,
        size=(header.Rows, header.Columns),
        position=numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        axes=axes,
        # The standard gives the spacing between rows first.
        spacing=numbers("PixelMeasuresSequence", "PixelSpacing", 2)[::-1],
        slope=slope / (done_slope or 1.0),
        intercept=intercept - done_intercept * slope / (done_slope or 1.0),
    )
