"""How long the Slicer extension takes from a moved threshold to the new mask and its lesions.

    python benchmarks/slicer_threshold.py                                     # a made-up map of 240 x 240 x 155 voxels
    python benchmarks/slicer_threshold.py result/anomaly_map.nii.gz result/structures.nii.gz

Prints milliseconds of one processor core, which other work on the machine does not change, at thresholds from where a fifth of the
map's voxels are marked to where almost none are, and in the last column those of the way that is not prepared (scipy.ndimage over
the whole volume); exits with status 1 when the slowest exceeds `--limit`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1] / "slicer_extension" / "AnomalyDetection"))

from AnomalyDetectionLib.lesions import AnomalyMap  # noqa: E402

SHARES = (0.2, 0.1, 0.03, 0.01, 0.001)
REPEATS = 5


def made_up_map() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A smooth map in an ellipsoid of the size of a brain, with a lesion; the affine of 1 mm voxels; and structures."""
    k, j, i = np.ogrid[:155, :240, :240]
    brain = ((k - 77) / 65) ** 2 + ((j - 120) / 88) ** 2 + ((i - 120) / 70) ** 2 < 1
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(brain.shape).astype(np.float32), 4)
    lesion = ((k - 90) / 15) ** 2 + ((j - 150) / 18) ** 2 + ((i - 90) / 16) ** 2 < 1
    values = (np.abs(noise / noise.std()) * 0.03 + 0.15 * lesion) * brain
    return values.astype(np.float32), np.eye(4), np.where(i < 120, 41, 2).astype(np.uint8) * brain


def read(paths: list[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The same of files of a detection."""
    images = [nibabel.load(path) for path in paths]
    arrays = [np.ascontiguousarray(np.asarray(image.dataobj).T) for image in images]
    return arrays[0].astype(np.float32), images[0].affine, arrays[1].astype(np.uint8) if len(arrays) > 1 else None


def milliseconds(work: Callable[[], Any]) -> float:
    """The median of some repetitions."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - started))
    return float(np.median(taken))


def main() -> int:
    """Measure, print, and judge by `--limit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", help="an anomaly map, and the structures on its grid")
    parser.add_argument("--limit", type=float, default=100.0, help="milliseconds that the slowest may take")
    options = parser.parse_args()

    values, affine, structures = read(options.files) if options.files else made_up_map()
    prepared = AnomalyMap(values, affine, structures)
    once = milliseconds(lambda: AnomalyMap(values, affine, structures))
    print(f"{' x '.join(map(str, values.shape[::-1]))} voxels; prepared once in {once:.0f} ms")
    print(f"{'threshold':>10}{'marked':>10}{'lesions':>9}{'lesions ms':>12}{'mask ms':>9}{'together':>10}{'unprepared':>12}")
    slowest = 0.0
    for share in SHARES:
        threshold = float(np.quantile(values[values > 0], 1 - share))
        findings = prepared.findings(threshold)
        measured = milliseconds(lambda: prepared.findings(threshold))
        painted = milliseconds(findings.mask)
        plain = milliseconds(lambda: ndimage.label(values > threshold, np.ones((3, 3, 3), dtype=bool)))
        slowest = max(slowest, measured + painted)
        row = f"{threshold:>10.4f}{int(findings.mask().sum()):>10}{len(findings.lesions):>9}"
        print(f"{row}{measured:>12.1f}{painted:>9.1f}{measured + painted:>10.1f}{plain:>12.1f}")
    return 0 if slowest <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
