"""A detection as the server sends it: one file, and the parameters beside it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.serving.parameters import ARCHIVE_EXTENSION

if TYPE_CHECKING:
    from umaddpm_core.detection import Detection

LABELS = {"anomaly": 1}
"""Names and values of the labels in the mask."""


def load_writers() -> None:
    """Import now what the first archive would import then, holding up every other request for a third of a second."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401


def result_file(detection: Detection, extension: str) -> Path:
    """Write the detection to a new temporary file, which the caller deletes.

    `.zip` holds everything that `write_detection` writes (volumes, report, overview); any other extension is an image
    format and the file is the mask, uint8 0/1 on the scan's own grid.
    """
    descriptor, name = tempfile.mkstemp(prefix="anomaly-", suffix=extension)
    os.close(descriptor)
    path = Path(name)
    try:
        if extension == ARCHIVE_EXTENSION:
            _write_archive(detection, path)
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


def _write_archive(detection: Detection, path: Path) -> None:
    from umaddpm_core.detection import write_detection

    with tempfile.TemporaryDirectory(prefix="anomaly-") as folder:
        files = write_detection(detection, Path(folder))
        # The volumes and the picture are compressed already, so the archive stores them as they are.
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_STORED) as archive:
            for file in files.values():
                archive.write(file, arcname=Path(file).name)
