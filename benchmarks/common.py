"""What several benchmarks share: the baseline without learning, where results lie, and tables of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.baseline import fitted_intensity
from umaddpm_core.evaluation.calibrate import calibrate
from umaddpm_core.methods.intensity import Intensity

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"

Baseline = tuple[Intensity, Threshold, float]
"""A kind of the baseline, its calibrated threshold, and its pooled Dice on painted lesions of validation people."""


def intensity_baselines(cache: ArrayCache, modality: str, workers: int) -> list[Baseline]:
    """Every kind of the `intensity` baseline with every score, each at the threshold calibrated as the models' are."""
    found = []
    for kind, method in fitted_intensity(cache, modality).items():
        calibration = calibrate(method, cache, modality, workers=workers)
        for score, thresholds in calibration["scores"].items():
            entry = thresholds["synthetic_dice"]
            found.append((method, Threshold("synthetic_dice", entry["value"], score), entry["dice"]))
        print(f"intensity {kind}: {max(dice for _, _, dice in found):.3f}", file=sys.stderr)
    return found


def best_on_painted_lesions(baselines: list[Baseline]) -> tuple[Intensity, Threshold]:
    """The kind and score with the highest pooled Dice on validation people."""
    method, threshold, _ = max(baselines, key=lambda baseline: baseline[2])
    return method, threshold


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
