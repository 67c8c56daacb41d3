"""How a trained model repaints healthy people, and finds lesions like those of known diseases painted into their scans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.synthetic_lesions import PATHOLOGIES, paint_pathology
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.calibrate import POLARITY
from umaddpm_core.evaluation.healthy_people import row_of
from umaddpm_core.evaluation.metrics import psnr, ssim
from umaddpm_core.evaluation.repaint import lesion_seeds, over_scans, repaint
from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject
from umaddpm_core.methods import Method
from umaddpm_core.methods.intensity import LARGEST_DEPTH, centred

FIGURES = ("psnr", "ssim", "marked_share", "dice", "average_precision", "restored", "error_ratio")


def judged_healthy(
    method: Method,
    calibration: dict[str, Any],
    cache: ArrayCache,
    modality: str,
    sizes_ml: Sequence[float],
    people: int,
    workers: int,
) -> dict[str, Any]:
    """Healthy test people as they are, and with one painted change of each of the `PATHOLOGIES`.

    Args:
        calibration: masks are cut at its `synthetic_dice`, of the sequence's direction.
        sizes_ml: of the painted lesions, such as those of real development cases.
        people: at most so many.

    Returns:
        `summary`: by figure of `row_of`, the mean over people with its interval, of healthy scans and of all lesions; `kinds`:
        the same by kind of lesion; and every case under `cases`.
    """
    score = POLARITY[modality]
    threshold = Threshold("synthetic_dice", calibration["scores"][score]["synthetic_dice"]["value"], score)
    scans = cache.scans("test", modality, healthy=True, synthetic=False)[:people]
    rows = [row for found in over_scans(partial(_rows, method, threshold, cache, tuple(sizes_ml)), scans, workers) for row in found]
    kinds = {kind: _means(row for row in rows if row["lesion"] and row["lesion"]["kind"] == kind) for kind in PATHOLOGIES}
    return {"summary": _means(row for row in rows if not _hard_negative(row)), "kinds": kinds, "cases": rows}


def population_mean(cache: ArrayCache, modality: str, people: int) -> dict[str, float]:
    """`psnr` and `ssim` inside the brain of the mean healthy training scan, taken for a reconstruction of the test people."""
    total, count = 0.0, 0
    for scan in cache.scans("training", modality, healthy=True, synthetic=False):
        total, count = total + centred(cache.volume(scan), LARGEST_DEPTH), count + 1
    volumes = [cache.volume(scan) for scan in cache.scans("test", modality, healthy=True, synthetic=False)[:people]]
    means = [centred(total / count, volume.shape[-1]) for volume in volumes]
    return {
        name: float(np.mean([figure(mean, volume, volume > 0) for mean, volume in zip(means, volumes)]))
        for name, figure in (("psnr", psnr), ("ssim", ssim))
    }


def _rows(
    method: Method, threshold: Threshold, cache: ArrayCache, sizes_ml: tuple[float, ...], scan: CachedScan
) -> list[dict[str, Any]]:
    """The healthy scan, and one lesion of each kind."""
    rows = [row_of(case, threshold) for case in repaint(method, cache, scan, (None,))]
    for kind, seed in zip(PATHOLOGIES, _seeds()):
        paint = partial(paint_pathology, kind, scan.modality, sizes_ml)
        rows += [row_of(case, threshold) for case in repaint(method, cache, scan, (seed,), paint)]
    return rows


def _seeds() -> range:
    """One for each kind."""
    (first, *_) = lesion_seeds("test", 1)
    return range(first, first + len(PATHOLOGIES))


def _hard_negative(row: dict[str, Any]) -> bool:
    return row["lesion"] is not None and "dice" not in row


def _means(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    found, told = list(rows), {}
    for figure in FIGURES:
        having = [row for row in found if figure in row]
        if values := list(by_subject([row["subject"] for row in having], [row[figure] for row in having]).values()):
            low, high = bootstrap_interval(values)
            told[figure] = {"mean": float(np.mean(values)), "low": low, "high": high, "people": len(values)}
    return told
