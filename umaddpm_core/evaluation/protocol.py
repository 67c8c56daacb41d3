"""Evaluating a model on a cohort: every case measured, then the means with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.cases import Case, Measured, best_dice, measure, pooled_average_precision
from umaddpm_core.evaluation.repaint import over_scans
from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject
from umaddpm_core.methods import Method
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.reading import read_mask
from umaddpm_core.preprocessing.settings import PreprocessingSettings

Progress = Callable[[float], None]


class CohortCases:
    """The cases of a list of scans, prepared as a model's own scans were.

    Args:
        settings: of the preparation.
    """

    def __init__(self, settings: PreprocessingSettings) -> None:
        self.settings = settings

    def __call__(self, scan: Scan) -> Case:
        """A scan on the model's grid.

        Raises:
            InputError: it cannot be prepared.
        """
        brain, lesions = (None if path is None else read_mask(path) for path in (scan.brain, scan.lesions))
        prepared = Preprocessor(self.settings).prepare(scan.path, brain)
        truth = None if lesions is None else prepared.mask_to_grid(lesions)
        return Case(scan.name, scan.subject, prepared.volume, prepared.brain, truth, scan.healthy)


class CacheCases:
    """The cases of an array cache."""

    def __init__(self, cache: ArrayCache) -> None:
        self.cache = cache

    def __call__(self, scan: CachedScan) -> Case:
        volume, truth = self.cache.volume(scan), self.cache.lesions(scan) > 0 if scan.has_lesions else None
        return Case(scan.name, scan.subject, volume, volume > 0, truth, scan.healthy)


def evaluate(
    method: Method,
    thresholds: Sequence[Threshold],
    cases: CohortCases | CacheCases,
    scans: Sequence[Scan | CachedScan],
    *,
    workers: int = 0,
    progress: Progress | None = None,
) -> tuple[list[Measured], dict[str, str]]:
    """Every case measured, in order; and by name the reason of each that could not be prepared."""
    results = over_scans(partial(_measured, method, list(thresholds), cases), list(scans), workers, progress)
    return [r for r in results if isinstance(r, Measured)], dict(r for r in results if not isinstance(r, Measured))


def _measured(
    method: Method, thresholds: list[Threshold], cases: CohortCases | CacheCases, scan: Scan | CachedScan
) -> Measured | tuple[str, str]:
    try:
        return measure(method, thresholds, cases(scan))
    except InputError as error:
        return scan.name, str(error)


def summary(measured: Sequence[Measured]) -> dict[str, Any]:
    """Means over people with 95 % bootstrap intervals, and what only pooled voxels can say.

    Returns:
        `cases`, `people`; under `means`, by figure, `mean`, `low`, `high` and `people` it is over; under `pooled`, over the
        voxels of all cases whose truth is known, `auprc`, and `dice_oracle` with its `threshold`.
    """
    names = list(dict.fromkeys(name for case in measured for name in case.figures))
    means = {}
    for name in names:
        having = [case for case in measured if name in case.figures]
        people = by_subject([case.subject for case in having], [case.figures[name] for case in having])
        if people:
            low, high = bootstrap_interval(list(people.values()))
            means[name] = {"mean": float(np.mean(list(people.values()))), "low": low, "high": high, "people": len(people)}
    pooled: dict[str, float] = {}
    known = [case.voxels for case in measured if case.voxels is not None]
    if known and (voxels := sum(known))[1].any():
        threshold, best = best_dice(voxels)
        pooled = {"auprc": pooled_average_precision(voxels), "dice_oracle": best, "threshold": threshold}
    return {"cases": len(measured), "people": len({case.subject for case in measured}), "means": means, "pooled": pooled}


def rows(measured: Iterable[Measured]) -> Iterator[dict[str, Any]]:
    """One row a case, for a table."""
    for case in measured:
        yield {"case": case.name, "subject": case.subject, **case.figures}

