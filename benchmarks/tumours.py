"""Measure a shipped model on real tumours that it was not chosen on, beside the baseline without learning.

    umaddpm preprocess ../shared/data/lgg -o cache_lgg
    python benchmarks/tumours.py --cache cache --lgg cache_lgg

T1: the 35 LGG test cases. T2: a BraTS glioma, TCGA-DU-7294 and BRAINIX, whose truth is the FLAIR ROI on the T2's grid. The kind
and score of the `intensity` baseline are chosen on the 15 LGG development cases (T1) or on painted lesions (T2); thresholds are
the calibrated ones throughout. The first cache is for fitting and calibrating the baseline. Every case goes to
`docs/results/tumours_MODEL.json`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from common import RESULTS, Baseline, best_on_painted_lesions, intensity_baselines

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.cohorts import Scan, data_root
from umaddpm_core.detection.calibration import Threshold, chosen_threshold
from umaddpm_core.detection.models import find_model
from umaddpm_core.evaluation.cases import Measured
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases, evaluate, rows, summary
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.evaluation.statistics import by_subject, permutation_p
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.methods.intensity import Intensity
from umaddpm_core.preprocessing.settings import PreprocessingSettings


def t2_cases(root: Path, folder: Path) -> list[Scan]:
    """The three tumours in T2; BRAINIX gets its mask made in `folder`."""
    scan = sitk.ReadImage(str(root / "brainix" / "T2.nii.gz"))
    roi = sitk.ReadImage(str(root / "brainix" / "seg_on_FLAIR.nii.gz"), sitk.sitkFloat32)
    sitk.WriteImage(sitk.Resample(roi, scan, sitk.Transform(), sitk.sitkLinear, 0.0), str(folder / "brainix.nii.gz"))
    found = [Scan("BRAINIX", "T2", root / "brainix" / "T2.nii.gz", folder / "brainix.nii.gz", healthy=False)]
    for person in ("BraTS-GLI-00001-000", "TCGA-DU-7294"):
        files = [root / "brats" / person / f"{person}-{what}.nii.gz" for what in ("t2w", "seg")]
        found.append(Scan(person, "T2", *files, healthy=False))
    return found


def measured(
    method: Method,
    thresholds: Sequence[Threshold],
    cases: CohortCases | CacheCases,
    scans: Sequence[Scan | CachedScan],
    workers: int,
) -> list[Measured]:
    """Every case; one that cannot be prepared is told and left out."""
    found, failures = evaluate(method, thresholds, cases, scans, workers=workers)
    for name, reason in failures.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    return found


def best_on_tumours(
    baselines: list[Baseline], cases: CacheCases, scans: Sequence[CachedScan], workers: int
) -> tuple[Intensity, Threshold]:
    """The baseline with the highest mean Dice on development cases."""
    scored = []
    for method, threshold, _ in baselines:
        found = measured(method, [threshold], cases, scans, workers)
        scored.append((float(np.mean([case.figures["dice_synthetic_dice"] for case in found])), method, threshold))
        print(f"intensity {method.config.kind} {threshold.score}: {scored[-1][0]:.3f}", file=sys.stderr)
    _, method, threshold = max(scored, key=lambda entry: entry[0])
    return method, threshold


def compared(model: list[Measured], default: str, baseline: list[Measured]) -> dict[str, float]:
    """p of the paired permutation test for AUPRC and for Dice, the model at its default threshold."""

    def people(cases: list[Measured], figure: str) -> dict[str, float]:
        return by_subject([case.subject for case in cases], [case.figures[figure] for case in cases])

    return {
        "auprc": permutation_p(people(model, "auprc"), people(baseline, "auprc")),
        "dice": permutation_p(people(model, f"dice_{default}"), people(baseline, "dice_synthetic_dice")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--lgg", type=Path, required=True, help="array cache of the low-grade gliomas")
    parser.add_argument("--model", help="name or file; by default the default model")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    root, path, cache = data_root(), find_model(options.model), ArrayCache(options.cache)
    artefact = Artefact.load(path)
    method, patients = from_artefact(artefact), ArrayCache(options.lgg)
    as_scanned = CohortCases(PreprocessingSettings(**artefact.preprocessing))
    results: dict[str, Any] = {"package_version": __version__, "model": path.stem, "config": artefact.config, "modalities": {}}
    with tempfile.TemporaryDirectory() as folder:
        groups = {
            "T1": (CacheCases(patients), patients.scans("test", "T1")),
            "T2": (as_scanned, t2_cases(root, Path(folder))),
        }
        for modality in artefact.modalities:
            calibration = artefact.calibration[modality]
            thresholds = [chosen_threshold(calibration, name, None) for name in calibration["scores"][calibration["score"]]]
            ours = measured(method, thresholds, *groups[modality], options.workers)
            print(f"{modality}: model measured", file=sys.stderr)
            baselines = intensity_baselines(cache, modality, options.workers)
            if modality == "T1":
                development = patients.scans("development", "T1")
                baseline, threshold = best_on_tumours(baselines, CacheCases(patients), development, options.workers)
            else:
                baseline, threshold = best_on_painted_lesions(baselines)
            theirs = measured(baseline, [threshold], *groups[modality], options.workers)
            results["modalities"][modality] = {
                "thresholds": [threshold.as_dict() for threshold in thresholds],
                "default": calibration["threshold"],
                "model": {**summary(ours), "rows": list(rows(ours))},
                "baseline": {"kind": baseline.config.kind, "threshold": threshold.as_dict(), **summary(theirs), "rows": list(rows(theirs))},
                "p": compared(ours, calibration["threshold"], theirs),
            }
            dice = f"dice_{calibration['threshold']}"
            for name, told, figure in (("model", summary(ours), dice), (baseline.config.kind, summary(theirs), "dice_synthetic_dice")):
                means = told["means"]
                print(f"{modality} {name}: Dice {means[figure]['mean']:.3f}, AUPRC {means['auprc']['mean']:.3f}, oracle {means['dice_oracle']['mean']:.3f}")
            print(f"{modality} p: {results['modalities'][modality]['p']}")
            for row in rows(ours) if modality == "T2" else ():
                print(f"  {row['case']}: Dice {row[dice]:.3f}, AUPRC {row['auprc']:.3f}")
    write_json(RESULTS / f"tumours_{path.stem}.json", results)


if __name__ == "__main__":
    main()
