"""One trained model on all cases of a comparison."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.calibrate import POLARITY
from umaddpm_core.evaluation.cases import Measured, mask_figures, reconstruction_figures
from umaddpm_core.evaluation.healthy_people import healthy_test
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases, rows, summary
from umaddpm_core.evaluation.repaint import over_scans
from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject
from umaddpm_core.methods import Method

PROTOCOLS = ("published", "signed")
"""`published`: the size of the residual, filtered and cut as in pDDPM's code. `signed`: this project's, of one direction."""
COST_SLICES = 50
"""Slices of the scan whose time is taken: the paper's."""


def score_of(protocol: str, modality: str) -> str:
    """The score of a protocol in a sequence."""
    return "absolute" if protocol == "published" else POLARITY[modality]


@dataclass(frozen=True)
class PreparedSet:
    """A set of cases, ready to be judged."""

    name: str
    cases: CohortCases | CacheCases
    scans: list[Scan] | list[CachedScan]
    fingerprint: str


def judged_set(method: Method, calibration: dict[str, Any], modality: str, cases: PreparedSet, workers: int) -> dict[str, Any]:
    """By protocol, the `summary` of a set and the figures of every case; thresholds are those of the calibration."""
    thresholds = {}
    for protocol in PROTOCOLS:
        score = score_of(protocol, modality)
        named = calibration["scores"][score]
        thresholds[protocol] = [Threshold(name, entry["value"], score) for name, entry in named.items()]
    found = over_scans(partial(_judged, method, thresholds, cases.cases), cases.scans, workers)
    result = {}
    for protocol in PROTOCOLS:
        measured = [case[protocol] for case in found]
        result[protocol] = {"summary": summary(measured), "cases": list(rows(measured))}
    return result


def _judged(
    method: Method, thresholds: dict[str, list[Threshold]], cases: CohortCases | CacheCases, scan: Scan | CachedScan
) -> dict[str, Measured]:
    case = cases(scan)
    reconstruction = method.reconstruct(case.volume)
    seen = reconstruction_figures(reconstruction, case)
    measured = {}
    for protocol, named in thresholds.items():
        score_map = anomaly_map(case.volume, reconstruction, case.brain, named[0].score)[0].numpy()
        figures, voxels = mask_figures(score_map, named, case)
        measured[protocol] = Measured(case.name, case.subject, {**seen, **figures}, voxels)
    return measured


def judged_healthy(
    method: Method, calibration: dict[str, Any], cache: ArrayCache, modality: str, people: int, lesions: int, workers: int
) -> dict[str, Any]:
    """How healthy test people are repainted, and lesions painted into their scans, darker or brighter, are found."""
    threshold = Threshold("synthetic_dice", calibration["scores"]["both"]["synthetic_dice"]["value"], "both")
    found = healthy_test(method, threshold, cache, modality, people=people, lesions=lesions, workers=workers)
    told: dict[str, Any] = {}
    for figure in ("psnr", "ssim", "marked_share", "dice", "average_precision", "restored", "error_ratio"):
        having = [row for row in found if figure in row]
        values = list(by_subject([row["subject"] for row in having], [row[figure] for row in having]).values())
        low, high = bootstrap_interval(values)
        told[figure] = {"mean": float(np.mean(values)), "low": low, "high": high, "people": len(values)}
    return {"summary": told, "cases": found}


def cost(method: Method, volume: Tensor) -> dict[str, float]:
    """What a scan of 50 slices costs on this machine's processor, all its cores.

    Returns:
        `parameters`; `gflop` of a scan (torch's counter, 2 a multiply-add); `seconds`; `peak_gib` of the process.
    """
    depth = volume.shape[-1]
    scan = volume[..., (depth - min(depth, COST_SLICES)) // 2 :][..., :COST_SLICES]
    with FlopCounterMode(display=False) as counter:
        method.reconstruct(scan[..., scan.shape[-1] // 2 :][..., :1])
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    method.reconstruct(scan)
    seconds = time.perf_counter() - started
    torch.set_num_threads(threads)
    return {
        "parameters": sum(parameter.numel() for parameter in method.parameters()),
        "gflop": counter.get_total_flops() * scan.shape[-1] / 1e9,
        "seconds": seconds,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
