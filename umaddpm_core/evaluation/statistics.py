"""How sure is a mean, and how sure a difference? The unit is always the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

RESAMPLES = 10_000


def by_subject(subjects: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """The mean over the cases of every person, in the order of the people; cases without a value do not count."""
    found: dict[str, list[float]] = {}
    for subject, value in zip(subjects, values):
        if not np.isnan(value):
            found.setdefault(subject, []).append(value)
    return {subject: float(np.mean(found[subject])) for subject in sorted(found)}


def bootstrap_interval(values: Sequence[float], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over people (SciPy); NaN for fewer than two."""
    if len(values) < 2:
        return float("nan"), float("nan")
    interval = stats.bootstrap(
        (np.asarray(values),), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    return float(interval.low), float(interval.high)


def permutation_p(first: Mapping[str, float], second: Mapping[str, float], seed: int = 0) -> float:
    """Two-sided p of a paired permutation test of the mean difference (SciPy), over the people who have both values; NaN for
    fewer than two of them.

    Raises:
        ValueError: nobody has both.
    """
    people = sorted(first.keys() & second.keys())
    if not people:
        raise ValueError("Nobody has both values.")
    if len(people) < 2:
        return float("nan")
    pairs = [np.array([values[person] for person in people]) for values in (first, second)]
    if np.array_equal(*pairs):
        return 1.0
    return float(
        stats.permutation_test(
            pairs,
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            n_resamples=RESAMPLES,
            rng=np.random.default_rng(seed),
        ).pvalue
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of one family of tests, corrected after Holm (1979); in the order given. NaN is no test, and stays NaN."""
    corrected = np.array(p_values, float)
    tests = [index for index in np.argsort(p_values) if not np.isnan(p_values[index])]
    largest = 0.0
    for rank, index in enumerate(tests):
        largest = max(largest, min(1.0, (len(tests) - rank) * p_values[index]))
        corrected[index] = largest
    return [float(value) for value in corrected]
