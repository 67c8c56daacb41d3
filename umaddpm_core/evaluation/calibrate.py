"""Choosing a model's thresholds on validation people, with lesions painted into their scans."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.detection.anomaly_map import SCORES, SMALLEST_LESION_MM3, check_score, mask_of
from umaddpm_core.detection.calibration import dice_threshold, quantile_threshold
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.metrics import average_precision
from umaddpm_core.evaluation.repaint import Repainted, lesion_seeds, over_scans, repaint
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.grid import VOXEL_MM3
from umaddpm_core.preprocessing.quality.intensity import Cohort, histogram

FALSE_POSITIVE_RATE = 0.01
ALARMS = 0.1
"""Share of healthy scans that may have a finding at `healthy_scans_10`."""
HALVINGS = 14
DIRECTION = {"dark": -1, "bright": 1}
"""Sign of the contrast of what a score of one direction looks for."""
POLARITY = {"T1": "mostly_dark", "T2": "mostly_bright"}
"""How most lesions differ from healthy tissue: the default score."""


@dataclass(frozen=True)
class Measured:
    """Maps by score, examined region and truth, [96, 96, S], of a scan; `contrast` of its painted lesion, 0 without one."""

    maps: dict[str, np.ndarray]
    examined: np.ndarray
    truth: np.ndarray
    contrast: float


def calibrate(
    method: Method,
    cache: ArrayCache,
    modality: str,
    *,
    score: str | None = None,
    threshold: str = "healthy_scans_10",
    labelled: ArrayCache | None = None,
    people: int | None = None,
    lesions: int | None = None,
    cases: int | None = None,
    workers: int = 0,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """The calibration of one modality, for the artefact.

    Args:
        method: with the settings it will be deployed with.
        cache: its validation part is used: every scan as it is, and with painted lesions. For a score of one direction
            only the lesions of that direction count.
        score: the default score; by default the direction of most lesions in this modality. It is not chosen on painted
            lesions, where the direction is chance.
        threshold: the default threshold.
        labelled: cases with lesion masks, whose development part gives a further threshold, `lesion_dice`, for every score
            that tells their lesions from the rest.
        people, lesions: so many validation people and painted lesions each; by default all people, and `lesion_seeds`.
        cases: so many development cases; by default all.
        workers: processes; 0 computes in this one.

    Returns:
        `score`, `threshold`, the thresholds of every score under `scores`, each with its `value`, how it was `found`
        and what it costs on healthy scans, the number of scans, and under `intensity` the grey values of the cohort.
    """
    score = check_score(score or POLARITY[modality])
    scans = cache.scans("validation", modality)[:people]
    if not scans:
        raise InputError(f"The cache {cache.folder} holds no validation scans of {modality}.")
    seeds = (None, *lesion_seeds("calibration", len(scans))[:lesions])
    repainted = over_scans(partial(_measured, method, cache, seeds), scans, workers, progress)
    patients = _labelled_cases(method, labelled, modality, cases, workers) if labelled else []
    healthy = [measured[0] for measured in repainted]
    lesioned = [case for measured in repainted for case in measured[1:]]
    scores, precisions = {}, {}
    for name in SCORES:
        healthy_values = np.concatenate([case.maps[name][case.examined] for case in healthy])
        sought = [case for case in lesioned if case.contrast * DIRECTION.get(name, case.contrast) > 0] or lesioned
        truth = np.concatenate([case.truth[case.examined] for case in sought])
        values = np.concatenate([case.maps[name][case.examined] for case in sought])
        precisions[name] = round(average_precision(values, truth), 4)
        best, pooled = dice_threshold(values, truth)
        quantile = quantile_threshold(healthy_values, FALSE_POSITIVE_RATE)
        alarm = math.ceil(1e5 * alarm_threshold([case.maps[name] for case in healthy])) / 1e5
        scores[name] = {
            "healthy_fpr_1": {
                "value": round(quantile, 5),
                "found": "1 % of the examined voxels of healthy validation scans lie above it",
                **cost_on_healthy(healthy, name, quantile),
            },
            "healthy_scans_10": {
                "value": alarm,
                "found": "at most one in ten healthy validation scans has a finding",
                **cost_on_healthy(healthy, name, alarm),
            },
            "synthetic_dice": {
                "value": round(best, 5),
                "found": "highest pooled Dice on healthy validation scans with painted lesions",
                "dice": round(pooled, 4),
                "lesions": len(sought),
                **cost_on_healthy(healthy, name, best),
            },
        }
        if patients:
            values, truth = (np.concatenate(arrays) for arrays in zip(*((c.maps[name][c.examined], c.truth[c.examined]) for c in patients)))
            best, pooled = dice_threshold(values, truth)
            if best > 0:
                scores[name]["lesion_dice"] = {
                    "value": round(best, 5),
                    "found": f"highest pooled Dice on {len(patients)} labelled cases of {labelled.cohort}",
                    "dice": round(pooled, 4),
                    **cost_on_healthy(healthy, name, best),
                }
    return {
        "score": score,
        "threshold": threshold,
        "scores": scores,
        "average_precision": precisions,
        "scans": len(scans),
        "intensity": cohort_intensity(cache, modality).as_dict(),
    }


def without_lesions(calibration: dict[str, Any]) -> dict[str, Any]:
    """A calibration as it would be without labelled cases."""
    scores = {
        score: {name: entry for name, entry in named.items() if name != "lesion_dice"} for score, named in calibration["scores"].items()
    }
    return {**calibration, "scores": scores}


def alarm_threshold(maps: list[np.ndarray], share: float = ALARMS) -> float:
    """The lowest threshold at which no more than a share of healthy maps [96, 96, S] has a finding."""
    quietest = sorted((quiet_threshold(score_map) for score_map in maps), reverse=True)
    return quietest[int(share * len(quietest))]


def quiet_threshold(score_map: np.ndarray) -> float:
    """The lowest threshold at which a map has no finding, found by halving."""
    low, high = 0.0, float(max(score_map.max(), 1e-6))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if mask_of(score_map, middle, VOXEL_MM3).any() else (low, middle)
    return high


def cost_on_healthy(healthy: list[Measured], score: str, threshold: float) -> dict[str, float]:
    """What a threshold marks in healthy scans: share of scans with any finding, and median volume marked in ml."""
    marked = [
        np.count_nonzero(mask_of(case.maps[score], threshold, VOXEL_MM3, SMALLEST_LESION_MM3)) * VOXEL_MM3 / 1000
        for case in healthy
    ]
    return {
        "healthy_scans_with_findings": round(float(np.mean(np.array(marked) > 0)), 3),
        "healthy_median_ml": round(float(np.median(marked)), 2),
    }


def cohort_intensity(cache: ArrayCache, modality: str) -> Cohort:
    """The grey values of the healthy people of a cache, of its training part and beside it of its validation part.

    Raises:
        InputError: one of the two has no such scans.
    """
    histograms = {}
    for part in ("training", "validation"):
        volumes = (cache.volume(scan) for scan in cache.scans(part, modality, healthy=True, synthetic=False))
        histograms[part] = [histogram(volume, volume > 0) for volume in volumes]
        if not histograms[part]:
            raise InputError(f"The cache {cache.folder} holds no {part} scans of healthy people in {modality}.")
    return Cohort.of(**histograms)


def _measured(method: Method, cache: ArrayCache, seeds: tuple[int | None, ...], scan: CachedScan) -> list[Measured]:
    """A scan as it is, and with each of its painted lesions."""
    cases = repaint(method, cache, scan, seeds)
    return [
        Measured(case.maps(), case.examined(), case.truth[0].numpy(), case.lesion.contrast if case.lesion else 0.0) for case in cases
    ]


def _labelled_cases(method: Method, cache: ArrayCache, modality: str, limit: int | None, workers: int) -> list[Measured]:
    scans = [scan for scan in cache.scans("development", modality) if scan.has_lesions][:limit]
    if not scans:
        raise InputError(f"The cache {cache.folder} holds no labelled development cases of {modality}.")
    return over_scans(partial(_labelled, method, cache), scans, workers, None)


def _labelled(method: Method, cache: ArrayCache, scan: CachedScan) -> Measured:
    """A patient's scan with what was marked in it."""
    volume, truth = cache.volume(scan), cache.lesions(scan) > 0
    case = Repainted(scan, volume, volume, method.reconstruct(volume), volume > 0, truth, None)
    return Measured(case.maps(), case.examined(), truth[0].numpy(), 0.0)
