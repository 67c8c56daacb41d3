"""How much memory does a detection take, by the size of the scan's grid? What `preprocessing.memory` counts with.

    python benchmarks/memory.py [SPACING_MM ...]

The scan is an IXI head with skull, resampled to each spacing. A process of its own loads the model, examines the scan and
writes the results; printed is how far its largest resident memory lies above what it held before, and what the guard says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from cost import SCAN, at_spacing

from umaddpm_core.data.cohorts import data_root
from umaddpm_core.preprocessing.memory import needed_bytes

SPACINGS_MM = (2.0, 1.0, 0.7, 0.5)

EXAMINE = """
import json, resource, sys
import psutil
from umaddpm_core.detection import Detector, write_detection
detector = Detector.load()
before = psutil.Process().memory_info().rss
write_detection(detector.detect(sys.argv[1]), sys.argv[2])
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before))
"""


def growth(scan: Path, folder: Path) -> int:
    """Bytes by which a process that examines the scan grows at most."""
    done = subprocess.run([sys.executable, "-c", EXAMINE, str(scan), str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    print("| spacing, mm | million voxels | grows by, GB | bytes a voxel | the guard says, GB |\n|---|---|---|---|---|")
    for spacing in map(float, sys.argv[1:] or SPACINGS_MM):
        with tempfile.TemporaryDirectory() as name:
            scan = Path(name) / "head-T1.nii.gz"
            at_spacing(data_root() / SCAN, scan, spacing)
            voxels = int(np.prod(sitk.ReadImage(str(scan)).GetSize()))
            grown = growth(scan, Path(name) / "out")
        figures = f"{grown / 1e9:.2f} | {grown / voxels:.0f} | {needed_bytes(voxels) / 1e9:.2f}"
        print(f"| {spacing:g} | {voxels / 1e6:.1f} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
