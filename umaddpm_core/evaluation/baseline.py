"""The best of the baselines without learning."""

from __future__ import annotations

from typing import get_args

import numpy as np

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.evaluation.metrics import average_precision
from umaddpm_core.evaluation.protocol import CacheCases
from umaddpm_core.evaluation.repaint import lesion_seeds, repaint
from umaddpm_core.methods.intensity import Intensity, IntensityConfig

KINDS = get_args(IntensityConfig.model_fields["kind"].annotation)


def fitted_intensity(cache: ArrayCache, modality: str) -> dict[str, Intensity]:
    """The `intensity` baseline of every kind, fitted to the healthy training people of a cache."""
    healthy = cache.scans("training", modality, healthy=True, synthetic=False)
    population = Intensity(IntensityConfig()).fit(cache.volume(scan) for scan in healthy)
    found = {kind: Intensity(IntensityConfig(kind=kind)) for kind in KINDS}
    for method in found.values():
        method.load_state_dict(population.state_dict())
    return found


def best_intensity(cache: ArrayCache, modality: str, score: str, labelled: ArrayCache | None, people: int, lesions: int) -> Intensity:
    """The kind whose map with this score has the highest mean AUPRC on the labelled development cases, or without such on
    lesions painted into so many validation people."""
    candidates = fitted_intensity(cache, modality)
    found: dict[str, list[float]] = {kind: [] for kind in candidates}
    if labelled:
        cases = [CacheCases(labelled)(scan) for scan in labelled.scans("development", modality) if scan.has_lesions]
        for kind, method in candidates.items():
            for case in cases:
                score_map = anomaly_map(case.volume, method.reconstruct(case.volume), case.brain, score)
                found[kind].append(average_precision(score_map[0].numpy(), case.truth[0].numpy()))
    else:
        scans = cache.scans("validation", modality, healthy=True, synthetic=False)[:people]
        seeds = lesion_seeds("calibration", len(scans))[:lesions]
        for kind, method in candidates.items():
            for case in (case for scan in scans for case in repaint(method, cache, scan, seeds)):
                score_map = anomaly_map(case.volume, case.reconstruction, case.brain, score)
                found[kind].append(average_precision(score_map[0].numpy(), case.truth[0].numpy()))
    return candidates[max(candidates, key=lambda kind: np.mean(found[kind]))]
