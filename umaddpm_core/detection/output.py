"""Writing a detection to a folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.detection.detection import VOLUMES, Detection
from umaddpm_core.detection.overview import draw_overview


def write_detection(detection: Detection, folder: str | Path) -> dict[str, Path]:
    """Write the volumes (`.nii.gz`), `report.json` and `overview.png` into a folder; all of them or none.

    Returns:
        The files by name.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as name:
        part = Path(name)
        for volume in VOLUMES:
            sitk.WriteImage(getattr(detection, volume), str(part / f"{volume}.nii.gz"), useCompression=True)
        (part / "report.json").write_text(json.dumps(detection.report, indent=2) + "\n")
        draw_overview(detection, part / "overview.png")
        files = {}
        for path in sorted(part.iterdir()):
            target = folder / path.name
            shutil.move(path, target)
            files[path.name.split(".")[0]] = target
    return files
