"""How well a model repaints healthy people it has not seen, and finds lesions painted into their scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.detection.anomaly_map import anomaly_map, mask_of
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.metrics import average_precision, dice, error_ratio, psnr, restored_share, ssim
from umaddpm_core.evaluation.repaint import Repainted, lesion_seeds, over_scans, repaint
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.grid import VOXEL_MM3


def healthy_test(
    method: Method,
    threshold: Threshold,
    cache: ArrayCache,
    modality: str,
    *,
    others: Sequence[Threshold] = (),
    workers: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[dict[str, Any]]:
    """One row per test person and painted lesion, and one per person without.

    Args:
        others: further thresholds, of any score, at which the Dice is taken too.

    A row has `subject` and `lesion` (None, or kind, volume in ml and contrast), and
        without a lesion: `psnr` in dB and `ssim` inside the brain, `marked_share` of the brain's voxels;
        with one: `dice`, and under `dice_at` by score and name that at each of the other thresholds, `average_precision` over the examined region, `restored`, the share of the mean change inside the
        lesion that the reconstruction takes back, and `error_ratio`, its voxel-wise error over the untouched scan's.
    """
    scans = cache.scans("test", modality, healthy=True, synthetic=False)
    seeds = (None, *lesion_seeds("test", max(len(scans), 1)))
    rows = over_scans(partial(_rows, method, threshold, tuple(others), cache, seeds), scans, workers, progress)
    return [row for person in rows for row in person]


def reconstruction_quality(
    method: Method, cache: ArrayCache, modality: str, *, workers: int = 0, progress: Callable[[float], None] | None = None
) -> dict[str, dict[str, float]]:
    """`psnr` in dB and `ssim` inside the brain by test person, all patches repainted, nothing painted in."""
    scans = cache.scans("test", modality, healthy=True, synthetic=False)
    return dict(zip((scan.subject for scan in scans), over_scans(partial(_quality, method, cache), scans, workers, progress)))


def _quality(method: Method, cache: ArrayCache, scan: CachedScan) -> dict[str, float]:
    (case,) = repaint(method, cache, scan, (None,))
    return {name: figure(case.reconstruction, case.volume, case.brain) for name, figure in (("psnr", psnr), ("ssim", ssim))}


def _rows(
    method: Method,
    threshold: Threshold,
    others: tuple[Threshold, ...],
    cache: ArrayCache,
    seeds: tuple[int | None, ...],
    scan: CachedScan,
) -> list[dict[str, Any]]:
    return [row_of(case, threshold, others) for case in repaint(method, cache, scan, seeds)]


def row_of(case: Repainted, threshold: Threshold, others: Sequence[Threshold] = ()) -> dict[str, Any]:
    """What `healthy_test` says of one case; of a painted change that is no lesion, such as atrophy, only `marked_share`."""
    score_map, mask = _map_and_mask(case, threshold)
    truth, examined = case.truth[0].numpy(), case.examined()
    row: dict[str, Any] = {"subject": case.scan.subject, "lesion": None}
    if case.lesion is None:
        row["psnr"] = psnr(case.reconstruction, case.volume, case.brain)
        row["ssim"] = ssim(case.reconstruction, case.volume, case.brain)
    else:
        row["lesion"] = {"kind": case.lesion.kind, "volume_ml": case.lesion.volume_ml, "contrast": case.lesion.contrast}
    if truth.any():
        row["dice"] = dice(mask, truth)
        row["dice_at"] = {f"{other.score} at {other.name}": dice(_map_and_mask(case, other)[1], truth) for other in others}
        row["average_precision"] = average_precision(score_map[examined], truth[examined])
        row["restored"] = restored_share(case.reconstruction, case.volume, case.healthy, case.truth)
        row["error_ratio"] = error_ratio(case.reconstruction, case.volume, case.healthy, case.truth)
    else:
        row["marked_share"] = float(np.count_nonzero(mask) / int(case.brain.sum()))
    return row


def _map_and_mask(case: Repainted, threshold: Threshold) -> tuple[np.ndarray, np.ndarray]:
    score_map = anomaly_map(case.volume, case.reconstruction, case.brain, threshold.score)[0].numpy()
    return score_map, mask_of(score_map, threshold.value, VOXEL_MM3)
