"""Writing a detection to a folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from umaddpm_core.detection.detection import VOLUMES, Detection
from umaddpm_core.detection.overview import draw_overview
from umaddpm_core.errors import InputError

NOTE = 80
"""Bytes of a NIfTI header's `descrip`, its end included."""


def check_output_folder(folder: Path) -> None:
    """Make sure before a detection that its results can be written; makes nothing.

    Raises:
        InputError: a file lies there, or the folder cannot be written to.
    """
    standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not standing.is_dir():
        raise InputError(f"{standing} is a file; give a folder for the results.")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise InputError(f"{standing} cannot be written to; give another folder for the results.")


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
            sitk.WriteImage(_noted(getattr(detection, volume), detection.report), str(part / f"{volume}.nii.gz"), useCompression=True)
        (part / "report.json").write_text(json.dumps(detection.report, indent=2) + "\n")
        draw_overview(detection, part / "overview.png")
        files = {}
        for path in sorted(part.iterdir()):
            target = folder / path.name
            shutil.move(path, target)
            files[path.name.split(".")[0]] = target
    return files


def _noted(image: sitk.Image, report: dict[str, Any]) -> sitk.Image:
    """The image with what made it in the header's description field, which holds 79 characters."""
    noted, threshold = sitk.Image(image), report["threshold"]
    note = f"UMA-DDPM {report['package_version']}, {report['model']}, {threshold['name']}={threshold['value']:.3g}, research use only"
    noted.SetMetaData("ITK_FileNotes", note if len(note) < NOTE else f"UMA-DDPM {report['package_version']}, research use only")
    return noted
