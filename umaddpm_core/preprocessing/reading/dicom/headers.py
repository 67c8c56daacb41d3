"""Headers of DICOM files, and the series that they make up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import MediaStorageDirectoryStorage

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.dicom.tags import KEYWORDS

ELEMENTS = (
    *KEYWORDS, "SOPClassUID", "SeriesInstanceUID", "SeriesNumber", "StudyDate", "PatientBirthDate", "PulseSequenceName",
    "EchoPulseSequence", "ContrastBolusAgentSequence", "LossyImageCompression", "ImageType", "SamplesPerPixel",
    "NumberOfFrames", "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
"""What is read of a header; nothing else can do harm, and who the patient is remains unread."""

COUNTS = {"Rows": 0, "Columns": 0, "NumberOfFrames": 1, "SamplesPerPixel": 1}
"""Whole numbers, and what they are where a header has none."""


@dataclass
class Series:
    """Files with the same SeriesInstanceUID, each with its header."""

    uid: str
    files: list[tuple[Path, FileDataset]] = field(default_factory=list)

    @property
    def header(self) -> FileDataset:
        """The header of the first file."""
        return self.files[0][1]

    @property
    def number(self) -> str:
        """SeriesNumber; empty where there is none."""
        return str(self.header.get("SeriesNumber") or "").strip()

    @property
    def description(self) -> str:
        """SeriesDescription; empty where there is none."""
        return str(self.header.get("SeriesDescription") or "").strip()

    @property
    def modality(self) -> str:
        """DICOM Modality: `MR`, `CT`, `SEG` and so on; empty where there is none."""
        return str(self.header.get("Modality") or "").strip().upper()

    @property
    def slices(self) -> int:
        """Slices of all files together."""
        return sum(header.NumberOfFrames for _, header in self.files)

    @property
    def is_mr(self) -> bool:
        """Whether these are MR images, and not spectra, raw data or of another modality."""
        return self.modality == "MR" and "Image Storage" in self.header.SOPClassUID.name


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do (PS3.10 section 7.1)."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_header(path: Path) -> FileDataset:
    """The `ELEMENTS` of a DICOM file's header, where `COUNTS` are always whole numbers; without the pixels.

    Raises:
        InputError: damaged, or cut off within the header.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(ELEMENTS))
        # Values are converted when they are first used: now, where a damaged one can be told from a mistake of ours.
        header.walk(lambda dataset, element: None)
        for keyword, default in COUNTS.items():
            setattr(header, keyword, int(header.get(keyword) or default))
    except OSError:
        raise
    except Exception as error:  # pydicom lets every kind of error through that a damaged file can cause
        raise InputError(f"{path.name} is damaged or truncated: its DICOM header cannot be read.") from error
    if not header.get("SOPClassUID") and header.file_meta.get("MediaStorageSOPClassUID") != MediaStorageDirectoryStorage:
        raise InputError(f"{path.name} is damaged or truncated: its DICOM header does not say what it holds.")
    return header


def find_series(files: Iterable[Path], *, past_damage: bool = False) -> list[Series]:
    """The series that DICOM files make up, in the order of their numbers.

    Args:
        past_damage: leave out files that are damaged; for lists of what is there, not for reading it.

    Raises:
        InputError: a damaged header.
    """
    series: dict[str, Series] = {}
    for path in files:
        try:
            header = read_header(path)
        except InputError:
            if past_damage:
                continue
            raise
        if header.get("SOPClassUID"):
            uid = str(header.get("SeriesInstanceUID", ""))
            series.setdefault(uid, Series(uid)).files.append((path, header))
    return sorted(series.values(), key=lambda one: (int(one.number) if one.number.isdigit() else 0, one.uid))
