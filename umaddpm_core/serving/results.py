"""A detection as the server sends it: one file, and the parameters beside it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.serving.dicom.answer import SEG_FILE
from umaddpm_core.serving.parameters import ARCHIVE_EXTENSION, SEG_EXTENSION

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from umaddpm_core.detection import Detection

LABELS = {"anomaly": 1}
"""Names and values of the labels in the mask."""


def load_writers() -> None:
    """Import now what the first archive would import then, holding up every other request for a third of a second."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401


def result_file(detection: Detection, extension: str, dicom: Mapping[str, Dataset] | None = None) -> Path | None:
    """Write the detection to a new temporary file, which the caller deletes.

    `.zip` holds everything that `write_detection` writes (volumes, report, overview) and the DICOM results; `.dcm` is the
    DICOM SEG; any other extension is an image format and the file is the mask, uint8 0/1 on the scan's own grid.

    Args:
        dicom: DICOM results by file name, where the scan has any.

    Returns:
        The file; None for the SEG of a scan without a finding, of which there is none.
    """
    dicom = dicom or {}
    if extension == SEG_EXTENSION and SEG_FILE not in dicom:
        return None
    descriptor, name = tempfile.mkstemp(prefix="anomaly-", suffix=extension)
    os.close(descriptor)
    path = Path(name)
    try:
        if extension == ARCHIVE_EXTENSION:
            _write_archive(detection, dicom, path)
        elif extension == SEG_EXTENSION:
            dicom[SEG_FILE].save_as(path, write_like_original=False)
        else:
            import SimpleITK as sitk

            sitk.WriteImage(detection.mask, str(path), useCompression=True)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def result_parameters(detection: Detection) -> dict[str, Any]:
    """The report, with `label_names` for clients that name the segments by it."""
    return {**detection.report, "label_names": dict(LABELS)}


def _write_archive(detection: Detection, dicom: Mapping[str, Dataset], path: Path) -> None:
    from umaddpm_core.detection import write_detection

    with tempfile.TemporaryDirectory(prefix="anomaly-") as folder:
        files = write_detection(detection, Path(folder))
        # The volumes and the picture are compressed already, so the archive stores them as they are.
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_STORED) as archive:
            for file in files.values():
                archive.write(file, arcname=Path(file).name)
            for name, result in dicom.items():
                part = Path(folder) / name
                result.save_as(part, write_like_original=False)
                # Maps of floats and masks of single bits are long and mostly zero.
                archive.write(part, arcname=name, compress_type=zipfile.ZIP_DEFLATED, compresslevel=1)
