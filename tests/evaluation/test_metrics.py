"""Figures of merit against their definitions."""

import math

import numpy as np
import pytest
import torch

from umaddpm_core.evaluation.cases import best_dice, pooled_average_precision, pooled_voxels
from umaddpm_core.evaluation.metrics import average_precision, dice, error_ratio, psnr, restored_share, ssim, voxel_rates


def scored(count=3000, seed=0):
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.1
    return (random.random(count) * 0.5 + 0.3 * truth).astype(np.float32), truth


def precision_recall_area(values, truth):
    """Σ (R_n - R_{n-1}) P_n over every distinct value as a threshold."""
    area, before = 0.0, 0.0
    for level in np.unique(values)[::-1]:
        marked = values >= level
        recall = (marked & truth).sum() / truth.sum()
        area += (recall - before) * (marked & truth).sum() / marked.sum()
        before = recall
    return area


def test_average_precision_is_the_area_under_the_curve():
    values, truth = scored()
    assert average_precision(values, truth) == pytest.approx(precision_recall_area(values, truth), abs=1e-5)
    assert average_precision(values * 50 - 20, truth) == pytest.approx(average_precision(values, truth), abs=1e-5), "only the order counts"
    assert math.isnan(average_precision(values, np.zeros_like(truth)))


def test_pooled_voxels_give_the_same_area_and_the_best_dice():
    values, truth = scored()
    voxels = pooled_voxels(values, truth, np.ones_like(truth))
    assert pooled_average_precision(voxels) == pytest.approx(precision_recall_area(values, truth), abs=2e-3)
    threshold, best = best_dice(voxels)
    assert dice(values > threshold, truth) == pytest.approx(best, abs=1e-9)
    assert best >= max(dice(values > level, truth) for level in np.linspace(0, 0.8, 50)) - 1e-3


def test_voxel_rates_count_inside_the_region_only():
    mask, truth = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    rates = voxel_rates(mask, truth, np.array([1, 1, 1, 1, 0], bool))
    assert rates == pytest.approx({"sensitivity": 1 / 2, "specificity": 1 / 2, "precision": 1 / 2, "repo_specificity": 1 / 2})


def test_dice_of_two_empty_masks_is_one():
    empty = np.zeros(4, bool)
    assert dice(empty, empty) == 1 and dice(~empty, empty) == 0


def test_psnr_and_ssim_know_the_region():
    volume = torch.rand(1, 96, 96, 3, generator=torch.Generator().manual_seed(0))
    inside = torch.zeros_like(volume, dtype=torch.bool)
    inside[:, 30:60, 30:60] = True
    spoiled = torch.where(inside, 1 - volume, volume)
    assert psnr(volume + 0.1, volume) == pytest.approx(20, abs=1e-3) and psnr(spoiled, volume, ~inside) == pytest.approx(120)
    assert ssim(volume, volume) == pytest.approx(1) and ssim(volume, volume, inside) == pytest.approx(1)
    assert ssim(spoiled, volume, inside) < 0 < ssim(spoiled, volume) < 1


def test_repair_is_nothing_for_the_identity_and_all_for_the_healthy_scan():
    healthy = torch.full((1, 4, 4, 4), 0.6)
    lesion = torch.zeros_like(healthy, dtype=torch.bool)
    lesion[:, :2] = True
    lesioned = torch.where(lesion, 0.4, healthy)
    assert restored_share(lesioned, lesioned, healthy, lesion) == 0 and restored_share(healthy, lesioned, healthy, lesion) == 1
    assert error_ratio(lesioned, lesioned, healthy, lesion) == 1 and error_ratio(healthy, lesioned, healthy, lesion) == 0
