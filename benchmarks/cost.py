"""How long does a scan take, and how much memory? Each command as a process of its own, as a user starts it.

    python benchmarks/cost.py

The scan is an IXI head with skull, resampled to 1 mm. Prints wall time, processor time and the largest resident memory of
`detect`, of the preparation within it, and of `extract-brain`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.data.cohorts import data_root

SCAN = "ixi/T1/IXI252-HH-1693-T1.nii.gz"
SPACING_MM = 1.0


def at_spacing(source: Path, target: Path, spacing: float) -> None:
    """The scan on its own axes, resampled to so many millimetres."""
    scan = sitk.ReadImage(str(source))
    size = [round(side * step / spacing) for side, step in zip(scan.GetSize(), scan.GetSpacing())]
    shift = [(spacing / step - 1) / 2 for step in scan.GetSpacing()]
    origin = scan.TransformContinuousIndexToPhysicalPoint(shift)
    fine = sitk.Resample(
        scan, size, sitk.Transform(), sitk.sitkBSpline, origin, [spacing] * 3, scan.GetDirection(), 0.0, scan.GetPixelID()
    )
    sitk.WriteImage(fine, str(target))


def cost(*arguments: object) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and GB of one run of `umaddpm`."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "umaddpm_core.cli", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor, after.ru_maxrss / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan = folder / "head-T1.nii.gz"
        at_spacing(data_root() / SCAN, scan, SPACING_MM)
        # The largest memory of all children so far is reported, so the smaller command comes first.
        extraction = cost("extract-brain", scan, "-o", folder / "brain.nii.gz")
        detection = cost("detect", scan, "-o", folder / "out")
        timings = json.loads((folder / "out" / "report.json").read_text())["timings"]
    print(f"| {os.cpu_count()} cores, IXI head at 1 mm | wall, s | processor, s | memory, GB |\n|---|---|---|---|")
    print("| `extract-brain` | {:.1f} | {:.1f} | {:.2f} |".format(*extraction))
    print("| `detect` | {:.1f} | {:.1f} | {:.2f} |".format(*detection))
    print(f"| … of it the preparation | {timings['preparation_s']:.1f} | | |")
    print(f"| … of it the reconstruction | {timings['reconstruction_s']:.1f} | | |")


if __name__ == "__main__":
    main()
