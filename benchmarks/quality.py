"""What does the quality report say of scans that the model was made for, and of others?

    python benchmarks/quality.py            # table, and every verdict in docs/results/quality.json

T1 scans, as T1: healthy test people (IXI), LGG development cases, BraTS, MSLUB, BRAINIX, a person of another scanner. Not T1,
examined as T1 because nothing says what they are: T2 and FLAIR scans, and T1 scans inverted. Nothing is repainted.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import SimpleITK as sitk
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cohorts import data_root, ixi, ixi_brain_labels, lgg
from umaddpm_core.data.splits import healthy_split, lesion_split, sequences_by_subject
from umaddpm_core.detection.models import find_model
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.quality.assess import assess
from umaddpm_core.preprocessing.quality.intensity import Cohort, histogram
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.settings import PreprocessingSettings

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "quality.json"
INVERTED = 8


def groups(root: Path) -> list[tuple[str, Path, bool]]:
    """Group, scan, and whether it is to be inverted."""
    scans = ixi(root / "ixi")
    parts = healthy_split(sequences_by_subject(scans), ixi_brain_labels(root / "ixi"))
    test = {modality: [s.path for s in scans if s.modality == modality and parts[s.subject] == "test"] for modality in ("T1", "T2")}
    patients = lgg(root / "lgg")
    development = lesion_split(scan.subject for scan in patients)
    found = {
        "T1: IXI test people": test["T1"],
        "T1: LGG development cases": [scan.path for scan in patients if development[scan.subject] == "development"],
        "T1: BraTS, MSLUB, BRAINIX, Kirby21": [
            *sorted(root.glob("brats/*/*-t1n.nii.gz")),
            *sorted(root.glob("mslub/*/*T1W.nii.gz")),
            root / "brainix/T1.nii.gz",
            *sorted(root.glob("pairs/kirby21-113/*T1*.nii.gz")),
        ],
        "T2 and FLAIR, examined as T1": [
            *test["T2"],
            *sorted(root.glob("brats/*/*-t2[wf].nii.gz")),
            *sorted(root.glob("mslub/*/*T2W.nii.gz")),
            root / "brainix/T2.nii.gz",
            root / "brainix/FLAIR.nii.gz",
        ],
    }
    listed = [(group, path, False) for group, paths in found.items() for path in paths]
    return listed + [("T1 inverted: IXI test people", path, True) for path in test["T1"][:INVERTED]]


def judged(case: tuple[str, Path, bool]) -> dict[str, object]:
    """Verdict and reasons of one scan."""
    group, path, inverted = case
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    artefact = Artefact.load(find_model(None))
    scan = read_scan(path).image
    if inverted:
        scan = sitk.InvertIntensity(scan, float(sitk.GetArrayViewFromImage(scan).max()))
    try:
        prepared = Preprocessor(PreprocessingSettings(**artefact.preprocessing)).prepare(scan)
        cohort = Cohort.from_dict(artefact.calibration["T1"]["intensity"])
        report = assess(prepared.quality, "T1", histogram=histogram(prepared.volume, prepared.brain), cohort=cohort)
        return {"group": group, "scan": path.name, **report.as_dict()}
    except InputError as error:
        return {"group": group, "scan": path.name, "verdict": "refused", "reasons": [str(error)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    cases = groups(data_root())
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(judged, cases))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print("| scans | ok | check | reject or refused before |\n|---|---|---|---|")
    for group in dict.fromkeys(row["group"] for row in rows):
        count = Counter(row["verdict"] for row in rows if row["group"] == group)
        print(f"| {group} | {count['ok']} | {count['check']} | {count['reject'] + count['refused']} |")


if __name__ == "__main__":
    main()
