"""Measure a shipped model on the healthy test people: how it repaints them, and lesions painted into their scans.

    umaddpm preprocess ../shared/data/ixi -o cache --modality T1 --modality T2
    python benchmarks/healthy_people.py --cache cache --modality T1

Beside the model stands the best `intensity` baseline: of its kinds and scores the one with the highest Dice on the validation
people, at its own calibrated threshold. Every case goes to `docs/results/healthy_people_MODEL_MODALITY.json`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS, best_on_painted_lesions, intensity_baselines

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.detection.calibration import chosen_threshold
from umaddpm_core.detection.models import find_model
from umaddpm_core.evaluation.healthy_people import healthy_test, reconstruction_quality
from umaddpm_core.evaluation.metrics import psnr, ssim
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject, permutation_p
from umaddpm_core.methods import from_artefact

REFERENCE_T = (499, 200)
FIGURES = ("dice", "average_precision", "restored", "error_ratio")


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means and medians over the rows of one method; intervals are over people."""
    lesions = [row for row in rows if row["lesion"]]
    healthy = [row for row in rows if not row["lesion"]]
    told: dict[str, Any] = {"people": len(healthy), "lesions": len(lesions)}
    for figure in FIGURES:
        people = by_subject([row["subject"] for row in lesions], [row[figure] for row in lesions])
        told[figure] = {"mean": float(np.mean(list(people.values()))), "interval": bootstrap_interval(list(people.values()))}
        told[figure]["median"] = float(np.nanmedian([row[figure] for row in lesions]))
        for name, sign in (("darker", -1), ("brighter", 1)):
            told[figure][name] = float(np.nanmean([row[figure] for row in lesions if sign * row["lesion"]["contrast"] > 0]))
    for figure in ("psnr", "ssim", "marked_share"):
        told[figure] = {"mean": float(np.mean([row[figure] for row in healthy]))}
    told["marked_share"]["worst"] = float(np.max([row["marked_share"] for row in healthy]))
    told["scans_with_findings"] = float(np.mean([row["marked_share"] > 0 for row in healthy]))
    return told


def either_direction(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean Dice over people at the one other threshold, and its interval."""
    lesions = [row for row in rows if row["lesion"]]
    ((name, _),) = lesions[0]["dice_at"].items()
    people = by_subject([row["subject"] for row in lesions], [row["dice_at"][name] for row in lesions])
    return {"threshold": name, "mean": float(np.mean(list(people.values()))), "interval": bootstrap_interval(list(people.values()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--model", help="name or file; by default the default model")
    parser.add_argument("--modality", default="T1")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    cache, path, modality = ArrayCache(options.cache), find_model(options.model), options.modality
    artefact = Artefact.load(path)
    method = from_artefact(artefact)
    threshold = chosen_threshold(artefact.calibration[modality], None, None)
    either = chosen_threshold(artefact.calibration[modality], "synthetic_dice", "both")
    rows = healthy_test(method, threshold, cache, modality, others=[either], workers=options.workers)
    print("model measured", file=sys.stderr)
    at = {}
    for t in REFERENCE_T:
        people = reconstruction_quality(from_artefact(artefact, t_test=t), cache, modality, workers=options.workers)
        at[t] = {figure: float(np.mean([one[figure] for one in people.values()])) for figure in ("psnr", "ssim")} | {"people": people}
    baseline, baseline_threshold = best_on_painted_lesions(intensity_baselines(cache, modality, options.workers))
    baseline_rows = healthy_test(baseline, baseline_threshold, cache, modality, workers=options.workers)
    volumes = [cache.volume(scan) for scan in cache.scans("test", modality, healthy=True, synthetic=False)]
    means = [(baseline.population_mean(volume.shape[-1]), volume, volume > 0) for volume in volumes]
    dice = [by_subject([r["subject"] for r in some if r["lesion"]], [r["dice"] for r in some if r["lesion"]]) for some in (rows, baseline_rows)]
    results = {
        "package_version": __version__,
        "modality": modality,
        "model": {
            "name": path.stem,
            "t": list(method.config.t_test),
            "draws": method.config.draws,
            "threshold": threshold.as_dict(),
            "summary": summary(rows),
            "either_direction": either_direction(rows),
        },
        "baseline": {"kind": baseline.config.kind, "threshold": baseline_threshold.as_dict(), "summary": summary(baseline_rows)},
        "dice_p": permutation_p(*dice),
        "reconstruction_at": at,
        "population_mean": {"psnr": float(np.mean([psnr(*m) for m in means])), "ssim": float(np.mean([ssim(*m) for m in means]))},
        "model_cases": rows,
        "baseline_cases": baseline_rows,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"healthy_people_{path.stem}_{modality}.json", results)
    shown = results["model"]["summary"], results["baseline"]["summary"]
    print(f"{path.stem}, {modality}, {shown[0]['people']} people, {shown[0]['lesions']} painted lesions | model | {baseline.config.kind}")
    for figure in (*FIGURES, "psnr", "ssim", "marked_share"):
        print(f"{figure} | " + " | ".join(f"{told[figure]['mean']:.3f}" for told in shown))
    print("dice of {threshold}: {mean:.3f}".format(**results["model"]["either_direction"]))
    print("dice median | " + " | ".join(f"{told['dice']['median']:.3f}" for told in shown) + f" | p of the means {results['dice_p']:.4f}")
    for t, figures in at.items():
        print(f"t = {t}: PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.3f}")
    print("population mean: PSNR {psnr:.2f} dB, SSIM {ssim:.3f}".format(**results["population_mean"]))


if __name__ == "__main__":
    main()
