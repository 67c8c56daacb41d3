"""The paper's ablation (mask, + MAM, + dual loss), trained and measured with one budget and the same seeds for every row.

    umaddpm preprocess ../shared/data/lgg -o cache_lgg
    python benchmarks/ablation.py --cache cache --lgg cache_lgg -o run/ablation [--modality T1] [--slices 10000]

Short runs with three seeds and a long one with one seed, of every row and sequence, in the preset `small`, and long ones of what was
tried where a row gains nothing; trained and measured as the paper does: nothing painted, all time steps, score `absolute`; only
that every slice has noise of its own, since with one image for a whole batch of eight no row learns to repaint a brain in so
short a time. The figures of every run are kept in `docs/results/ablation`; a run that is there is not done again, so the command
can be stopped and goes on, and two can share the work. `benchmarks/model_card.py` makes the table of what is there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS
from tumours import t2_cases

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.cohorts import data_root
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.metrics import average_precision, psnr, ssim
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases
from umaddpm_core.evaluation.repaint import lesion_seeds, over_scans, repaint
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.preprocessing.settings import PreprocessingSettings

ROWS = {"mask": "mask", "mask_mam": "mask + MAM", "full": "mask + MAM + dual loss"}
TRIED = {"full_log": "dual loss on log(1 + amplitude)", "full_weak": "dual loss with α = 0.1"}
"""What was tried where the dual loss gains nothing: the third row with one change, in T1, in a long run."""
PRESET, BATCH = "small", 8
BUDGETS = {10_000: (0, 1, 2), 60_000: (0,)}
"""Slices, and the seeds of the runs with so many."""
T, PEOPLE, LESIONS = (499, 200), 8, 2
KEPT = RESULTS / "ablation"


def trained(options: argparse.Namespace, modality: str, row: str, slices: int, seed: int, folder: Path) -> Path:
    """The model file of a run, which is made or gone on with where it is not there."""
    if not (folder / "model.safetensors").exists():
        experiment = Path(__file__).parent / "ablation_tried" / f"{row}.yaml" if row in TRIED else f"ablation_{row}"
        command = ["train", experiment, "--preset", PRESET, "--modality", modality, "--seed", seed, "--steps", slices // BATCH]
        subprocess.run([sys.executable, "-m", "umaddpm_core.cli", *map(str, command), "--cache", options.cache, "-o", folder], check=True)
    return folder / "model.safetensors"


def person(methods: dict[int, Method], cache: ArrayCache, seeds: tuple[int | None, ...], scan: CachedScan) -> dict[str, float]:
    """Figures of a healthy person."""
    figures: dict[str, float] = {}
    for t, method in methods.items():
        found = []
        for case in repaint(method, cache, scan, seeds):
            if case.lesion is None:
                figures[f"psnr_{t}"] = psnr(case.reconstruction, case.volume, case.brain)
                figures[f"ssim_{t}"] = ssim(case.reconstruction, case.volume, case.brain)
            else:
                score_map = anomaly_map(case.volume, case.reconstruction, case.brain, "absolute")
                found.append(average_precision(score_map[0].numpy(), case.truth[0].numpy()))
        figures[f"painted_{t}"] = float(np.mean(found))
    return figures


def patient(methods: dict[int, Method], case: Case) -> dict[str, float]:
    """Figures of a patient."""
    figures = {}
    for t, method in methods.items():
        score_map = anomaly_map(case.volume, method.reconstruct(case.volume), case.brain, "absolute")
        figures[f"tumours_{t}"] = average_precision(score_map[0].numpy(), case.truth[0].numpy())
    return figures


def measured(model: Path, cache: ArrayCache, modality: str, patients: list[Case], workers: int) -> dict[str, Any]:
    """Means over people and over patients, and under `cases` the figures of every patient."""
    artefact = Artefact.load(model)
    methods = {t: from_artefact(artefact, t_test=t, shared_noise_test=False) for t in T}
    scans = cache.scans("test", modality, healthy=True, synthetic=False)[:PEOPLE]
    seeds = (None, *lesion_seeds("test", len(scans))[:LESIONS])
    healthy = over_scans(partial(person, methods, cache, seeds), scans, workers, None)
    tumours = over_scans(partial(patient, methods), patients, workers, None)
    means = {name: np.mean([one[name] for one in group]).item() for group in (healthy, tumours) for name in group[0]}
    return {**means, "cases": {case.name: figures for case, figures in zip(patients, tumours)}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--lgg", type=Path, required=True, help="array cache of the low-grade gliomas")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--modality", action="append", choices=("T1", "T2"), help="only this one")
    parser.add_argument("--slices", action="append", type=int, choices=BUDGETS, help="only runs with so many")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    options.modality, options.slices = options.modality or ("T1", "T2"), options.slices or BUDGETS
    cache, lgg = ArrayCache(options.cache), ArrayCache(options.lgg)
    for folder in (options.output, KEPT):
        folder.mkdir(parents=True, exist_ok=True)
    as_scanned = CohortCases(PreprocessingSettings(**cache.settings))
    patients = {
        "T1": [CacheCases(lgg)(scan) for scan in lgg.scans("test", "T1")],
        "T2": [as_scanned(scan) for scan in t2_cases(data_root(), options.output)],
    }
    for slices, seeds in BUDGETS.items():
        for seed in seeds:
            for modality in ("T1", "T2"):
                tried = TRIED if modality == "T1" and slices == max(BUDGETS) else {}
                for row, words in {**ROWS, **tried}.items():
                    kept = KEPT / f"{modality}_{row}_{slices}_{seed}.json"
                    if kept.exists() or modality not in options.modality or slices not in options.slices:
                        continue
                    model = trained(options, modality, row, slices, seed, options.output / kept.stem)
                    figures = measured(model, cache, modality, patients[modality], options.workers)
                    run = {"modality": modality, "row": words, "slices": slices, "seed": seed, "preset": PRESET, "version": __version__, **figures}
                    write_json(kept, run)
                    print(f"{kept.stem}: AUPRC on tumours at t = 499 {figures['tumours_499']:.3f}", flush=True)


if __name__ == "__main__":
    main()
