"""From what the user names (a file, a folder, an archive, an image in memory) to a scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.memory import require_memory
from umaddpm_core.preprocessing.reading.acquired import AcquiredScan
from umaddpm_core.preprocessing.reading.archive import unpacked
from umaddpm_core.preprocessing.reading.checks import checked
from umaddpm_core.preprocessing.reading.dicom import is_dicom, read_dicom, read_dicom_file
from umaddpm_core.preprocessing.reading.files import READABLE, read_file
from umaddpm_core.preprocessing.reading.modality import modality_from_name

ARCHIVE = ".zip"
KINDS = f"{', '.join(READABLE)}, DICOM, or a {ARCHIVE} of one scan"


def read_scan(source: str | Path | sitk.Image, *, series: str | None = None) -> AcquiredScan:
    """The scan, on its own grid, with what is known of it.

    Args:
        source: a NIfTI, NRRD or MetaImage file; a DICOM series as a folder (searched through) or as one of its files,
            which stands for its series in that folder; a zip of one of these; or an image already in memory.
        series: which one, where several DICOM series lie together: series number, series UID or exact description.

    Raises:
        InputError: missing, unreadable, truncated, not one three-dimensional MR scan of a head with some contrast, or
            several series and none is named.
        NeverFits, OutOfMemory: there is too little memory to examine it, or too little is free now.
    """
    if isinstance(source, sitk.Image):
        require_memory(source.GetSize(), "The image")
        return AcquiredScan(checked(source, "The image"), "image in memory")
    path = Path(source)
    try:
        if not path.exists():
            raise InputError(f"There is no file {path}.")
        if path.is_dir():
            return _read_folder(path, path.resolve().name, series)
        if path.name.lower().endswith(READABLE):
            return _read_file(path, path.name, series)
        if path.name.lower().endswith(ARCHIVE):
            with unpacked(path) as folder:
                return _read_folder(folder, path.name, series)
        if is_dicom(path):
            return read_dicom_file(path, series)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened ({error.strerror or error}).") from error
    raise InputError(f"{path.name} is not a scan this program reads ({KINDS}).")


def _read_file(path: Path, name: str, series: str | None) -> AcquiredScan:
    if series is not None:
        raise InputError(f"{name} is a single volume, so there is no series {series!r} to choose from it.")
    image, warnings = read_file(path)
    return AcquiredScan(checked(image, name), name, modality_from_name(path.name), warnings=tuple(warnings))


def _read_folder(folder: Path, name: str, series: str | None) -> AcquiredScan:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if dicom := [file for file in files if is_dicom(file)]:
        return read_dicom(dicom, name, series)
    volumes = [file for file in files if file.name.lower().endswith(READABLE)]
    if len(volumes) == 1:
        scan = _read_file(volumes[0], name, series)
        return replace(scan, modality=scan.modality or modality_from_name(name))
    if volumes:
        raise InputError(f"{name} holds {len(volumes)} image files and no DICOM series; give one of the files.")
    raise InputError(f"{name} {'holds no DICOM series or other scan' if files else 'is empty'}; give {KINDS}.")
