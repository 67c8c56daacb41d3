"""Map, mask and thresholds."""

import numpy as np
import pytest
import torch

from umaddpm_core.detection.anomaly_map import anomaly_map, examined_region, mask_of
from umaddpm_core.detection.calibration import chosen_threshold, dice_threshold, quantile_threshold
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.metrics import average_precision, dice, psnr, restored_share


@pytest.fixture
def case():
    brain = torch.zeros(1, 20, 20, 20, dtype=torch.bool)
    brain[:, 2:18, 2:18, 2:18] = True
    healthy = torch.where(brain, 0.5, 0.0)
    scan = healthy.clone()
    scan[:, 5:10, 5:10, 5:10] = 0.2
    scan[:, 11:16, 11:16, 11:16] = 0.9
    return scan, healthy, brain


def test_the_score_chooses_the_direction(case):
    scan, healthy, brain = case
    dark, bright, both = (anomaly_map(scan, healthy, brain, score, smoothing=0) for score in ("dark", "bright", "both"))
    assert dark[0, 7, 7, 7] == pytest.approx(0.3) and bright[0, 7, 7, 7] == pytest.approx(-0.3)
    assert bright[0, 13, 13, 13] == pytest.approx(0.4) and both[0, 13, 13, 13] == pytest.approx(0.4)
    mostly_dark, mostly_bright = (anomaly_map(scan, healthy, brain, score, smoothing=0) for score in ("mostly_dark", "mostly_bright"))
    assert mostly_dark[0, 7, 7, 7] == pytest.approx(0.3) and mostly_dark[0, 13, 13, 13] == pytest.approx(0.3)
    assert mostly_bright[0, 7, 7, 7] == pytest.approx(0.225) and mostly_bright[0, 13, 13, 13] == pytest.approx(0.4)


def test_the_map_is_zero_outside_and_at_the_margin_of_the_brain(case):
    scan, healthy, brain = case
    score = anomaly_map(scan, healthy - 1, brain)
    assert not score[~examined_region(brain)].any()
    assert not examined_region(brain)[0, 2].any() and examined_region(brain)[0, 3, 9, 9]


def test_the_median_removes_a_single_voxel(case):
    _, healthy, brain = case
    scan = healthy.clone()
    scan[0, 9, 9, 9] = 1
    assert anomaly_map(scan, healthy, brain).max() == 0
    assert anomaly_map(scan, healthy, brain, median=1, smoothing=0).max() == 0.5


def test_smoothing_cancels_errors_of_either_sign_and_keeps_what_has_one(case):
    _, healthy, brain = case
    chequered = torch.tensor(np.indices((20, 20, 20)).sum(0) // 4 % 2 * 0.2 - 0.1)[None].float()
    rough = anomaly_map(healthy + torch.where(brain, chequered, 0), healthy, brain, "bright")
    lesion = anomaly_map(healthy + torch.where(brain, 0.1, 0), healthy, brain, "bright")
    assert rough.abs().max() < 0.02 and lesion[0, 10, 10, 10] == pytest.approx(0.1, abs=1e-3)


def test_the_papers_score_is_not_smoothed_and_has_the_papers_margin(case):
    scan, healthy, brain = case
    examined = examined_region(brain, "absolute")
    assert examined[0, 5, 9, 2] and not examined[0, 4, 9, 9] and not anomaly_map(scan, healthy, brain, "absolute")[~examined].any()
    assert torch.equal(anomaly_map(scan, healthy, brain, "absolute"), anomaly_map(scan, healthy, brain, "absolute", smoothing=0))


def test_small_findings_are_dropped():
    score = np.zeros((10, 10, 10))
    score[1:3, 1:3, 1:3] = 1
    score[6, 6, 6:9] = 1
    assert mask_of(score, 0.5, voxel_mm3=8.0).sum() == 8
    assert mask_of(score, 0.5, voxel_mm3=8.0, smallest_mm3=1).sum() == 11
    assert mask_of(score, 2.0, voxel_mm3=8.0).sum() == 0


CALIBRATION = {
    "score": "dark",
    "threshold": "synthetic_dice",
    "scores": {"dark": {"synthetic_dice": {"value": 0.1}, "healthy_fpr_1": {"value": 0.2}}, "both": {"synthetic_dice": {"value": 0.3}}},
}


def test_a_threshold_is_a_name_a_number_or_the_default():
    def asked(*arguments):
        threshold = chosen_threshold(CALIBRATION, *arguments)
        return threshold.name, threshold.value, threshold.score

    assert asked(None, None) == ("synthetic_dice", 0.1, "dark")
    assert asked("healthy_fpr_1", None) == ("healthy_fpr_1", 0.2, "dark")
    assert asked(None, "both") == ("synthetic_dice", 0.3, "both")
    assert asked("0.25", None) == asked(0.25, None) == ("user", 0.25, "dark")


@pytest.mark.parametrize("wrong", ["nonesuch", "nan", -1, 0, "inf"])
def test_a_wrong_threshold_is_refused(wrong):
    with pytest.raises(InputError):
        chosen_threshold(CALIBRATION, wrong, None)


def test_a_wrong_score_is_refused():
    with pytest.raises(InputError, match="There is no score"):
        chosen_threshold(CALIBRATION, None, "sideways")


def test_the_quantile_leaves_one_per_cent_above():
    values = np.random.default_rng(0).random(100_000)
    assert (values > quantile_threshold(values)).mean() == pytest.approx(0.01, abs=1e-3)


def test_the_dice_threshold_separates_what_can_be_separated():
    random = np.random.default_rng(0)
    truth = random.random(50_000) < 0.05
    values = np.where(truth, random.normal(0.5, 0.1, truth.size), random.normal(0.1, 0.1, truth.size))
    threshold, best = dice_threshold(values, truth)
    swept = max(dice(values > t, truth) for t in np.linspace(0, 1, 400))
    assert best == pytest.approx(swept, abs=5e-3)
    assert dice(values > threshold, truth) == pytest.approx(best, abs=5e-3)


def test_average_precision_agrees_with_its_definition():
    random = np.random.default_rng(1)
    truth = random.random(3000) < 0.1
    values = random.random(3000) + 0.5 * truth
    order = np.argsort(-values)
    precision = np.cumsum(truth[order]) / np.arange(1, 3001)
    assert average_precision(values, truth) == pytest.approx(precision[truth[order]].mean(), abs=5e-3)
    assert average_precision(np.zeros(100), np.arange(100) < 10) == pytest.approx(0.1)


def test_figures_of_merit():
    a = np.array([True, True, False])
    assert dice(a, np.array([True, False, False])) == pytest.approx(2 / 3) and dice(~a & a, ~a & a) == 1
    scan, region = torch.rand(1, 4, 4, 4), torch.ones(1, 4, 4, 4, dtype=torch.bool)
    assert psnr(scan + 0.1, scan, region) == pytest.approx(20, abs=1e-3)
    lesioned = scan - 0.2
    assert restored_share(lesioned, lesioned, scan, region) == pytest.approx(0, abs=1e-5)
    assert restored_share(scan, lesioned, scan, region) == pytest.approx(1, abs=1e-5)
