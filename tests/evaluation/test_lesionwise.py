"""Lesions found, missed and invented."""

import math

import numpy as np
import pytest

from umaddpm_core.evaluation.lesionwise import lesion_counts


def cubes(*corners, side=4, shape=(40, 40, 40)):
    volume = np.zeros(shape, dtype=bool)
    for x, y, z in corners:
        volume[x : x + side, y : y + side, z : z + side] = True
    return volume


def test_one_found_one_missed_one_invented():
    counts = lesion_counts(cubes((5, 5, 5), (30, 5, 5)), cubes((5, 5, 5), (5, 30, 30)), spacing_mm=2)
    assert (counts.found, counts.missed, counts.invented) == (1, 1, 1)
    figures = counts.figures()
    assert figures == {"lesion_sensitivity": 0.5, "lesion_precision": 0.5, "lesion_f1": 0.5, "lesion_dice": pytest.approx(1 / 3)}


def test_parts_that_nearly_touch_are_one_lesion():
    counts = lesion_counts(cubes((5, 5, 5)), cubes((5, 5, 5), (11, 5, 5)), spacing_mm=2)
    assert (counts.found, counts.missed) == (1, 0) and counts.dice_sum == pytest.approx(2 / 3)


def test_three_millimetres_from_each_part_and_no_more():
    counts = lesion_counts(cubes((5, 5, 5)), cubes((5, 5, 5), (12, 5, 5)), spacing_mm=2)
    assert (counts.found, counts.missed) == (1, 1)


def test_what_is_tiny_does_not_count():
    counts = lesion_counts(cubes((30, 5, 5), side=1), cubes((5, 5, 5), side=1), spacing_mm=2)
    assert (counts.found, counts.missed, counts.invented) == (0, 0, 0)
    assert all(math.isnan(value) for value in counts.figures().values())


def test_an_empty_mask_misses_and_an_empty_truth_invents():
    empty, lesion = cubes(), cubes((5, 5, 5))
    assert lesion_counts(empty, lesion, 2).figures()["lesion_sensitivity"] == 0
    assert lesion_counts(lesion, empty, 2).invented == 1
