"""The paper's ablation (mask, + MAM, + dual loss), trained and measured with one budget and the same seeds for every row.

    umaddpm preprocess ../shared/data/lgg -o cache_lgg
    python benchmarks/ablation.py --cache cache --lgg cache_lgg -o run/ablation

Short runs with three seeds and a long one with one seed, of every row and sequence, in the preset `small`; trained and measured
as the paper does: nothing painted, all time steps, score `absolute`; only that every slice has noise of its own, since with
one image for a whole batch of eight no row learns to repaint a brain in so short a time. A run that is done is not done again, so the
command can be stopped and goes on. At the end it writes `docs/results/ablation.json`, of which `benchmarks/model_card.py` makes
the table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS
from tumours import t2_cases

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
PRESET, BATCH = "small", 8
BUDGETS = {10_000: (0, 1, 2), 60_000: (0,)}
"""Slices, and the seeds of the runs with so many."""
T, PEOPLE, LESIONS = (499, 200), 8, 2

FIGURES = {
    "psnr_499": "PSNR, t = 499",
    "ssim_499": "SSIM, t = 499",
    "painted_499": "AP, painted lesions, t = 499",
    "painted_200": "AP, painted lesions, t = 200",
    "tumours_499": "AUPRC, tumours, t = 499",
    "tumours_200": "AUPRC, tumours, t = 200",
}


def trained(options: argparse.Namespace, modality: str, row: str, slices: int, seed: int) -> Path:
    """The model file of a run, which is made or gone on with where it is not there."""
    folder = options.output / f"{modality}_{row}_{slices}_{seed}"
    if not (folder / "model.safetensors").exists():
        command = ["train", f"ablation_{row}", "--preset", PRESET, "--modality", modality, "--seed", seed, "--steps", slices // BATCH]
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


def measured(model: Path, cache: ArrayCache, modality: str, patients: list[Case], workers: int) -> dict[str, float]:
    """Means over people and over patients; kept beside the model."""
    kept = model.with_name("measured.json")
    if not kept.exists():
        artefact = Artefact.load(model)
        methods = {t: from_artefact(artefact, t_test=t, shared_noise_test=False) for t in T}
        scans = cache.scans("test", modality, healthy=True, synthetic=False)[:PEOPLE]
        seeds = (None, *lesion_seeds("test", len(scans))[:LESIONS])
        healthy = over_scans(partial(person, methods, cache, seeds), scans, workers, None)
        tumours = over_scans(partial(patient, methods), patients, workers, None)
        write_json(kept, {name: np.mean([one[name] for one in group]).item() for group in (healthy, tumours) for name in group[0]})
    return json.loads(kept.read_text())


def summary(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for every sequence, budget and row: the mean over seeds, and ± their standard deviation where there are several."""
    groups: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        groups[run["modality"], run["slices"], run["row"]].append(run)
    lines = []
    for (modality, slices, row), group in groups.items():
        line: dict[str, Any] = {"modality": modality, "slices": slices, "row": row, "seeds": len(group)}
        for figure in FIGURES:
            values = [run[figure] for run in group]
            digits = 2 if figure.startswith("psnr") else 3
            spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
            line[figure] = f"{np.mean(values):.{digits}f}{spread}"
        lines.append(line)
    return lines


def remark(runs: list[dict[str, Any]]) -> str:
    """What the long runs say of the gain of each row over the first."""
    longest, told = max(run["slices"] for run in runs), []
    for modality in ("T1", "T2"):
        rows = {run["row"]: run["tumours_499"] for run in runs if run["modality"] == modality and run["slices"] == longest}
        if len(rows) == len(ROWS):
            first, second, third = (rows[name] for name in ROWS.values())
            told.append(f"{modality}: MAM changes the AUPRC on tumours by {second - first:+.3f}, the dual loss by {third - second:+.3f}")
    return f"After {longest:,} slices, at the paper's t = 499: {'; '.join(told)}. People and tumours are those of the sections above." if told else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--lgg", type=Path, required=True, help="array cache of the low-grade gliomas")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    cache, lgg = ArrayCache(options.cache), ArrayCache(options.lgg)
    options.output.mkdir(parents=True, exist_ok=True)
    as_scanned = CohortCases(PreprocessingSettings(**cache.settings))
    patients = {
        "T1": [CacheCases(lgg)(scan) for scan in lgg.scans("test", "T1")],
        "T2": [as_scanned(scan) for scan in t2_cases(data_root(), options.output)],
    }
    runs = []
    for slices, seeds in BUDGETS.items():
        for seed in seeds:
            for modality in ("T1", "T2"):
                for row, words in ROWS.items():
                    model = trained(options, modality, row, slices, seed)
                    figures = measured(model, cache, modality, patients[modality], options.workers)
                    runs.append({"modality": modality, "row": words, "slices": slices, "seed": seed, **figures})
                    print(runs[-1], flush=True)
    results = {"preset": PRESET, "figures": FIGURES, "summary": summary(runs), "remark": remark(runs), "runs": runs}
    write_json(RESULTS / "ablation.json", results)


if __name__ == "__main__":
    main()
