"""Intervals and tests, by person."""

import numpy as np
import pytest

from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject, holm, permutation_p


def test_a_person_counts_once_and_missing_values_not_at_all():
    assert by_subject(["B", "A", "A", "C"], [4.0, 1.0, 3.0, float("nan")]) == {"A": 2.0, "B": 4.0}


def test_the_interval_covers_the_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        low, high = bootstrap_interval(random.normal(1.0, 1.0, 40))
        covered += low < 1.0 < high
    assert covered >= 51
    assert np.isnan(bootstrap_interval([1.0])).all()


def test_a_difference_that_is_always_there_is_found_and_none_is_not():
    people = [f"P{i}" for i in range(20)]
    random = np.random.default_rng(1)
    first = dict(zip(people, random.normal(0, 1, 20)))
    assert permutation_p(first, {person: value + 0.5 + 0.1 * random.normal() for person, value in first.items()}) < 0.001
    assert permutation_p(first, first) == 1.0
    assert permutation_p(first, {person: value + random.normal() for person, value in first.items()}) > 0.05
    with pytest.raises(ValueError, match="Nobody"):
        permutation_p(first, {"other": 1.0})


def test_holm_corrects_what_was_tested_and_leaves_what_was_not():
    assert holm([0.04, float("nan"), 0.01]) == pytest.approx([0.04, float("nan"), 0.02], nan_ok=True)
