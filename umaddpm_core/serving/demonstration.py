"""Shows a running server at work on a sample scan, through its own HTTP route."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.checkout import sample_scans, sample_truth
from umaddpm_core.serving.client import Client


@dataclass(frozen=True)
class Demonstration:
    """What came back: the report, the folder with the files, the seconds it took as the client saw them, and the
    overlap with the known tumour (Dice, 0–1; None where the sample has none)."""

    sample: str
    folder: Path
    report: dict[str, Any]
    seconds: float
    dice: float | None


def demonstrate(client: Client, work: Path) -> Demonstration:
    """Let the server examine the first sample scan: by id where its datastore has it, else sent as a file.

    Raises:
        InputError: no sample scan, or the server refused it.
    """
    sample, scan = next(iter(sample_scans().items()))
    folder = work / sample
    stored = sample in listed(client)
    started = time.perf_counter()
    report = client.detect(sample if stored else scan, folder)
    seconds = time.perf_counter() - started
    truth = sample_truth(scan)
    dice = overlap(folder / "mask.nii.gz", truth) if truth else None
    return Demonstration(sample, folder, report, seconds, dice)


def listed(client: Client) -> list[str]:
    """The scans of the server; none where it serves an archive that does not answer now, which may change."""
    try:
        return client.images()
    except InputError:
        return []


def studies_of_samples(work: Path) -> Path:
    """A copy of the sample scans to serve: MONAI Label writes its index and labels beside the scans it serves."""
    studies = work / "studies"
    studies.mkdir(parents=True, exist_ok=True)
    for scan in sample_scans().values():
        copy = studies / scan.name
        if not copy.is_file() or copy.stat().st_mtime_ns != scan.stat().st_mtime_ns:
            shutil.copy2(scan, copy)
    return studies


def overlap(mask: Path, truth: Path) -> float:
    """Dice of two masks on the same grid; any nonzero voxel counts."""
    import SimpleITK as sitk

    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(sitk.ReadImage(str(mask)) != 0, sitk.ReadImage(str(truth)) != 0)
    return measures.GetDiceCoefficient()
