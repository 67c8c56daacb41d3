"""Which score should a T1 model use? Measured on cases that are never reported: the LGG development cases.

    python benchmarks/score_choice.py

Prints for every score the mean average precision and the mean Dice at both calibrated thresholds over the 15 development
cases (real low-grade gliomas), beside the pooled Dice on painted lesions of validation people that the model file keeps.
Everything is measured on the model's grid.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cohorts import Scan, data_root, lgg
from umaddpm_core.data.splits import lesion_split
from umaddpm_core.detection.anomaly_map import SCORES, anomaly_map, examined_region, mask_of
from umaddpm_core.detection.models import find_model
from umaddpm_core.evaluation.metrics import average_precision, dice
from umaddpm_core.methods import from_artefact
from umaddpm_core.preprocessing.grid import VOXEL_MM3
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.settings import PreprocessingSettings


def figures(model: Path, case: Scan) -> dict[str, tuple[float, float, float]]:
    """Average precision and the Dice at `healthy_fpr_1` and `synthetic_dice` of one case, by score."""
    torch.set_num_threads(1)
    artefact = Artefact.load(model)
    prepared = Preprocessor(PreprocessingSettings(**artefact.preprocessing)).prepare(case.path)
    truth = prepared.mask_to_grid(sitk.ReadImage(str(case.lesions)) > 0)[0].numpy()
    reconstruction = from_artefact(artefact).reconstruct(prepared.volume)
    examined = examined_region(prepared.brain)[0].numpy()
    found = {}
    for score in SCORES:
        score_map = anomaly_map(prepared.volume, reconstruction, prepared.brain, score)[0].numpy()
        thresholds = artefact.calibration["T1"]["scores"][score]
        found[score] = (
            average_precision(score_map[examined], truth[examined]),
            *(dice(mask_of(score_map, thresholds[name]["value"], VOXEL_MM3), truth) for name in ("healthy_fpr_1", "synthetic_dice")),
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="name or file; by default the shipped model")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    model = find_model(options.model)
    cases = lgg(data_root() / "lgg")
    parts = lesion_split(case.subject for case in cases)
    chosen = [case for case in cases if parts[case.subject] == "development"]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        measured = list(pool.map(partial(figures, model), chosen))
    calibration = Artefact.load(model).calibration["T1"]["scores"]
    print(f"| score | painted lesions, pooled Dice | {len(chosen)} LGG development cases: mean AP | Dice at healthy_fpr_1 | Dice at synthetic_dice |")
    print("|---|---|---|---|---|")
    for score in SCORES:
        means = np.mean([case[score] for case in measured], axis=0)
        print(f"| {score} | {calibration[score]['synthetic_dice']['dice']:.3f} | " + " | ".join(f"{value:.3f}" for value in means) + " |")


if __name__ == "__main__":
    main()
