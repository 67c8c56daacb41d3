"""One trained model on a set of cases, after both protocols."""

from __future__ import annotations

from functools import partial
from typing import Any

from umaddpm_core.data.cache import CachedScan
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.evaluation.calibrate import POLARITY
from umaddpm_core.evaluation.cases import Measured, mask_figures, reconstruction_figures
from umaddpm_core.evaluation.comparison.sets import PreparedSet
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases, rows, summary
from umaddpm_core.evaluation.repaint import over_scans
from umaddpm_core.methods import Method

PROTOCOLS = ("published", "signed")
"""`published`: the size of the residual, filtered and cut as in pDDPM's code. `signed`: this project's, of one direction."""


def score_of(protocol: str, modality: str) -> str:
    """The score of a protocol in a sequence."""
    return "absolute" if protocol == "published" else POLARITY[modality]


def judged_set(
    method: Method, calibration: dict[str, Any] | None, modality: str, cases: PreparedSet, limit: int | None, workers: int
) -> dict[str, Any]:
    """By protocol, the `summary` of a set and the figures of every case.

    Args:
        calibration: gives the thresholds; without one there are only figures that need none.
        limit: only so many cases, the first by name.
    """
    thresholds = {}
    for protocol in PROTOCOLS:
        score = score_of(protocol, modality)
        named = calibration["scores"][score] if calibration else {}
        thresholds[protocol] = [Threshold(name, entry["value"], score) for name, entry in named.items()]
    found = over_scans(partial(_judged, method, modality, thresholds, cases.cases), cases.scans[:limit], workers)
    result = {}
    for protocol in PROTOCOLS:
        measured = [case[protocol] for case in found]
        result[protocol] = {"summary": summary(measured), "cases": list(rows(measured))}
    return result


def _judged(
    method: Method, modality: str, thresholds: dict[str, list[Threshold]], cases: CohortCases | CacheCases, scan: Scan | CachedScan
) -> dict[str, Measured]:
    case = cases(scan)
    reconstruction = method.reconstruct(case.volume)
    seen = reconstruction_figures(reconstruction, case)
    measured = {}
    for protocol, named in thresholds.items():
        score_map = anomaly_map(case.volume, reconstruction, case.brain, score_of(protocol, modality))[0].numpy()
        figures, voxels = mask_figures(score_map, named, case)
        measured[protocol] = Measured(case.name, case.subject, {**seen, **figures}, voxels)
    return measured
