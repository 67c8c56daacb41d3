"""Does registration find back what was done to a scan, and how well do all kinds of scans lie on the template?

    python benchmarks/registration.py            # table; every case in docs/results/registration.json

Moves: rotation up to 30° about a random axis, shift up to 60 mm, scale 0.85–1.15 along each axis, of people who are neither
in the template nor were looked at while registration was written. Every other move only changes the header; the others
resample the scan. The error is the mean distance, in the brain, from the same move of the unmoved scan's registration:
with the brain mask moved along, and with the brain extracted anew from the moved scan.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.data.cohorts import Scan, data_root, ixi, ixi_brain_labels, lgg
from umaddpm_core.data.splits import healthy_split, lesion_split, sequences_by_subject
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.known_moves import cut, mean_displacement, moved_in_header, moved_physically, random_move
from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.registration import Registration, read_atlas, register

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "registration.json"
SEEN_WHILE_WRITTEN = 12
"""So many test people, by name, were looked at."""
PEOPLE = 20
PEOPLE_CUT = 5
FOUND_MM = 3.0
PHYSICAL_SPACING_MM = 1.3
CUTS = {"feet 30 %": (2, 0.3), "head 30 %": (2, -0.3), "face 25 %": (1, 0.25), "right 25 %": (0, 0.25)}

Row = dict[str, str | float]


def new_people(scans: list[Scan], parts: dict[str, str], modality: str) -> list[Scan]:
    """Validation people, and the test people that were not looked at."""
    chosen = [scan for scan in scans if scan.modality == modality]
    test = [scan for scan in chosen if parts[scan.subject] == "test"][SEEN_WHILE_WRITTEN if modality == "T1" else 0 :]
    return ([scan for scan in chosen if parts[scan.subject] == "validation"] + test)[:PEOPLE]


def tried(scan: sitk.Image, brain: sitk.Image) -> tuple[Registration | None, Row]:
    """A registration, or why it was refused; and the figures."""
    started = time.process_time()
    try:
        found = register(scan, brain, *read_atlas())
    except InputError as error:
        return None, {"refused": str(error)}
    seconds = time.process_time() - started
    figures = {name: round(value, 3) for name, value in vars(found.quality).items()}
    return found, {"way": found.way, **figures, "cpu_s": round(seconds, 2)}


def displaced(unmoved: Registration, found: Registration | None, move: sitk.AffineTransform | None) -> float:
    """Error in mm; infinite where the registration was refused."""
    return round(mean_displacement(unmoved.transform, found.transform, read_atlas()[1], move), 2) if found else float("inf")


def recovery(people: list[Scan]) -> Iterator[Row]:
    """Unmoved, moved and cut scans of each person."""
    for seed, person in enumerate(people):
        scan = read_scan(person.path).image
        brain = brain_mask(scan)[0]
        unmoved, row = tried(scan, brain)
        yield {"scan": person.name, "what": "as it is", **row}
        if unmoved is None:
            continue
        move = random_move(scan, np.random.default_rng(seed))
        if seed % 2:
            way, there = "header", moved_in_header(scan, move)
            brain_there = moved_in_header(brain, move)
        else:
            way, there = "voxels", moved_physically(scan, move, PHYSICAL_SPACING_MM)
            brain_there = moved_physically(brain, move, PHYSICAL_SPACING_MM, sitk.sitkNearestNeighbor)
        found, row = tried(there, brain_there)
        yield {"scan": person.name, "what": "moved", "by": way, "error_mm": displaced(unmoved, found, move), **row}
        try:
            found, row = tried(there, brain_mask(there)[0])
        except InputError as error:
            found, row = None, {"refused": str(error)}
        yield {"scan": person.name, "what": "moved, brain extracted anew", "by": way, "error_mm": displaced(unmoved, found, move), **row}
        for name, (axis, share) in CUTS.items() if seed < PEOPLE_CUT else ():
            found, row = tried(*cut(scan, brain, axis, share))
            yield {"scan": person.name, "what": f"cut: {name}", "error_mm": displaced(unmoved, found, None), **row}


def others(root: Path) -> Iterator[Row]:
    """Patients' scans, none of them like the template; of LGG the development cases."""
    patients = lgg(root / "lgg")
    development = lesion_split({scan.subject for scan in patients})
    groups = {
        "BraTS": sorted(root.glob("brats/*/*-t[12][nw].nii.gz")),
        "MSLUB": sorted(root.glob("mslub/*/*W.nii.gz")),
        "BRAINIX": [root / f"brainix/{name}.nii.gz" for name in ("T1", "T2", "FLAIR")],
        "LGG": [scan.path for scan in patients if development[scan.subject] == "development"],
    }
    for group, paths in groups.items():
        for path in paths:
            try:
                scan = read_scan(path).image
                row = tried(scan, brain_mask(scan)[0])[1]
            except InputError as error:
                row = {"refused": str(error)}
            yield {"scan": path.name, "what": group, **row}


def table(rows: list[Row]) -> str:
    """One line for each kind of scan."""

    def spread(values: list[float], worst: Callable[[list[float]], float], digits: int) -> str:
        return f"{np.median(values):.{digits}f} ({worst(values):.{digits}f})" if values else "–"

    lines = [
        f"| scans | registered | recognised | error, mm: median (worst) | within {FOUND_MM:.0f} mm | overlap: median (worst) | CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        good = [row for row in group if "refused" not in row]
        errors = [row["error_mm"] for row in group if "error_mm" in row]
        within = f"{sum(error <= FOUND_MM for error in errors)} of {len(errors)}" if errors else "–"
        recognised = sum(row["way"] == "recognised" for row in good)
        lines.append(
            f"| {what} | {len(good) - recognised} of {len(group)} | {recognised} | {spread(errors, max, 2)} | {within} | "
            f"{spread([row['overlap'] for row in good], min, 3)} | {spread([row['cpu_s'] for row in good], max, 1)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=RESULTS)
    output = parser.parse_args().output
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    root = data_root()
    scans = ixi(root / "ixi")
    parts = healthy_split(sequences_by_subject(scans), ixi_brain_labels(root / "ixi"))
    rows: list[Row] = []
    for modality in ("T1", "T2"):
        for row in recovery(new_people(scans, parts, modality)):
            rows.append({**row, "what": f"IXI {modality} {row['what']}"})
            print(rows[-1], file=sys.stderr, flush=True)
    rows += others(root)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(rows, indent=1).replace("Infinity", "null") + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
