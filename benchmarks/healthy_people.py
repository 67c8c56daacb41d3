"""Measure the shipped T1 model on the healthy test people and write the README's table of results.

    umaddpm preprocess ../shared/data/ixi -o cache
    python benchmarks/healthy_people.py --cache cache

Beside the model stands the best `intensity` baseline: of its four kinds the one with the highest Dice on the validation
people, at its own calibrated threshold. Every case goes to `docs/results/healthy_people_T1.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import get_args

import numpy as np

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.detection.calibration import Threshold, chosen_threshold
from umaddpm_core.detection.models import find_model
from umaddpm_core.evaluation.calibrate import calibrate
from umaddpm_core.evaluation.healthy_people import healthy_test, reconstruction_psnr
from umaddpm_core.evaluation.metrics import psnr
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.methods.intensity import Intensity, IntensityConfig

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results" / "healthy_people_T1.json"
README = ROOT / "README.md"
MARKS = "<!-- healthy_people: begin -->", "<!-- healthy_people: end -->"
REFERENCE_T = 499
MODALITY = "T1"


def best_intensity(cache: ArrayCache, workers: int) -> tuple[Intensity, Threshold]:
    """The kind and score of the baseline with the highest pooled Dice on validation people with painted lesions."""
    population = Intensity(IntensityConfig()).fit(cache.volume(scan) for scan in cache.scans("training", MODALITY))
    found = []
    for kind in get_args(IntensityConfig.model_fields["kind"].annotation):
        method = Intensity(IntensityConfig(kind=kind))
        method.load_state_dict(population.state_dict())
        calibration = calibrate(method, cache, MODALITY, workers=workers)
        for score, thresholds in calibration["scores"].items():
            found.append((thresholds["synthetic_dice"]["dice"], kind, score, thresholds["synthetic_dice"]["value"], method))
        print(f"intensity {kind}: {max(found)[0]:.3f}", file=sys.stderr)
    best = max(found, key=lambda entry: entry[0])
    return best[4], Threshold("synthetic_dice", best[3], best[2])


def summary(rows: list[dict]) -> dict[str, float]:
    """Medians and means over the rows of one method."""
    lesions = [row for row in rows if row["lesion"]]
    healthy = [row for row in rows if not row["lesion"]]
    dark = [row["dice"] for row in lesions if row["lesion"]["contrast"] < 0]
    bright = [row["dice"] for row in lesions if row["lesion"]["contrast"] > 0]
    return {
        "median_dice": float(np.median([row["dice"] for row in lesions])),
        "mean_dice": float(np.mean([row["dice"] for row in lesions])),
        "median_dice_dark": float(np.median(dark)),
        "median_dice_bright": float(np.median(bright)),
        "mean_average_precision": float(np.mean([row["average_precision"] for row in lesions])),
        "mean_restored": float(np.mean([row["restored"] for row in lesions])),
        "mean_restored_dark": float(np.mean([row["restored"] for row in lesions if row["lesion"]["contrast"] < 0])),
        "mean_restored_bright": float(np.mean([row["restored"] for row in lesions if row["lesion"]["contrast"] > 0])),
        "mean_psnr": float(np.mean([row["psnr"] for row in healthy])),
        "mean_marked_share": float(np.mean([row["marked_share"] for row in healthy])),
        "largest_marked_share": float(np.max([row["marked_share"] for row in healthy])),
        "people": len(healthy),
        "lesions": len(lesions),
    }


def table(results: dict) -> str:
    """The README's table."""
    model, baseline = results["model"]["summary"], results["baseline"]["summary"]
    t = results["model"]["t"]
    lines = [
        f"| {model['people']} healthy people not seen in training (IXI, T1), {model['lesions']} painted lesions | UMA-DDPM | best `intensity` baseline |",
        "|---|---|---|",
        f"| painted lesions, Dice at the calibrated threshold, median (mean) | **{model['median_dice']:.3f}** ({model['mean_dice']:.3f}) | {baseline['median_dice']:.3f} ({baseline['mean_dice']:.3f}) |",
        f"| … darker / brighter than the tissue around, median | {model['median_dice_dark']:.3f} / {model['median_dice_bright']:.3f} | {baseline['median_dice_dark']:.3f} / {baseline['median_dice_bright']:.3f} |",
        f"| painted lesions, average precision, mean | {model['mean_average_precision']:.3f} | {baseline['mean_average_precision']:.3f} |",
        f"| change inside the lesion taken back at t = {t}, mean (identity: 0 %) | {100 * model['mean_restored']:.0f} % | – |",
        f"| … darker / brighter lesions | {100 * model['mean_restored_dark']:.0f} % / {100 * model['mean_restored_bright']:.0f} % | – |",
        f"| without a lesion: brain voxels marked, mean (worst) | {100 * model['mean_marked_share']:.2f} % ({100 * model['largest_marked_share']:.2f} %) | {100 * baseline['mean_marked_share']:.2f} % ({100 * baseline['largest_marked_share']:.2f} %) |",
        f"| reconstruction inside the brain, PSNR at t = {t} | {model['mean_psnr']:.1f} dB | – |",
        f"| reconstruction inside the brain, PSNR at t = {REFERENCE_T} (population mean image) | {results['psnr_reference']['model']:.1f} dB | {results['psnr_reference']['population_mean']:.1f} dB |",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--model", help="name or file; by default the shipped model")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    cache = ArrayCache(options.cache)
    path = find_model(options.model)
    artefact = Artefact.load(path)
    method: Method = from_artefact(artefact)
    threshold = chosen_threshold(artefact.calibration[MODALITY], None, None)
    rows = healthy_test(method, threshold, cache, MODALITY, workers=options.workers)
    print("model measured", file=sys.stderr)
    at_reference = from_artefact(artefact, t_test=REFERENCE_T)
    reference = reconstruction_psnr(at_reference, cache, MODALITY, workers=options.workers)
    baseline, baseline_threshold = best_intensity(cache, options.workers)
    baseline_rows = healthy_test(baseline, baseline_threshold, cache, MODALITY, workers=options.workers)
    mean_image = [
        psnr(baseline.population_mean(volume.shape[-1]), volume, volume > 0)
        for volume in map(cache.volume, cache.scans("test", MODALITY, healthy=True))
    ]
    results = {
        "package_version": __version__,
        "model": {"name": path.stem, "t": method.config.t_test, "draws": method.config.draws, "threshold": threshold.as_dict(), "summary": summary(rows), "cases": rows},
        "baseline": {"kind": baseline.config.kind, "threshold": baseline_threshold.as_dict(), "summary": summary(baseline_rows), "cases": baseline_rows},
        "psnr_reference": {"t": REFERENCE_T, "model": float(np.mean(list(reference.values()))), "population_mean": float(np.mean(mean_image)), "cases": reference},
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    text = README.read_text()
    begin, end = MARKS
    README.write_text(re.sub(f"(?s){re.escape(begin)}.*{re.escape(end)}", lambda _: f"{begin}\n{table(results)}\n{end}", text))
    print(table(results))


if __name__ == "__main__":
    main()
