"""Calibration and the test on healthy people."""

import numpy as np
import pytest
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.detection.anomaly_map import mask_of
from umaddpm_core.detection.calibration import Threshold
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.calibrate import alarm_threshold, calibrate, quiet_threshold
from umaddpm_core.evaluation.healthy_people import healthy_test, reconstruction_quality
from umaddpm_core.evaluation.repaint import lesion_seed, lesion_seeds, repaint
from umaddpm_core.methods import from_artefact
from umaddpm_core.methods.intensity import Intensity, IntensityConfig
from umaddpm_core.preprocessing.grid import VOXEL_MM3


@pytest.fixture(scope="module")
def population(tiny_cache):
    return Intensity(IntensityConfig()).fit(tiny_cache.volume(scan) for scan in tiny_cache.scans("training"))


def test_lesions_that_calibrate_are_not_those_that_test():
    for people in (1, 3, 20):
        assert not set(lesion_seeds("calibration", people)) & set(lesion_seeds("test", people))
    assert len(lesion_seeds("test", 20)) == 3 and len(lesion_seeds("test", 5)) == 8
    assert lesion_seed("A", 1) != lesion_seed("B", 1) and lesion_seed("A", 1) == lesion_seed("A", 1)


def test_the_healthy_threshold_leaves_one_per_cent(tiny_model, tiny_cache):
    artefact = Artefact.load(tiny_model)
    method = from_artefact(artefact)
    scan = tiny_cache.scans("validation")[0]
    (case,) = repaint(method, tiny_cache, scan, (None,))
    for score, entry in artefact.calibration["T1"]["scores"].items():
        values = case.maps()[score][case.examined()]
        assert (values > entry["healthy_fpr_1"]["value"]).mean() == pytest.approx(0.01, abs=2e-3), score


def test_calibration_says_how_each_threshold_was_found_and_what_it_costs(tiny_model):
    calibration = Artefact.load(tiny_model).calibration["T1"]
    assert calibration["score"] == "both" and calibration["threshold"] in calibration["scores"]["both"]
    for thresholds in calibration["scores"].values():
        for entry in thresholds.values():
            assert entry["found"] and 0 <= entry["healthy_scans_with_findings"] <= 1 and entry["healthy_median_ml"] >= 0


def test_one_alarm_in_ten_healthy_scans():
    maps = []
    for height in range(1, 21):
        score_map = np.zeros((12, 12, 12))
        score_map[3:6, 3:6, 3:6] = height / 100
        score_map[9, 9, 9] = 0.9
        maps.append(score_map)
    assert quiet_threshold(maps[4]) == pytest.approx(0.05, abs=1e-3), "one voxel is no finding"
    threshold = alarm_threshold(maps)
    assert sum(mask_of(score_map, threshold, VOXEL_MM3).any() for score_map in maps) == 2
    assert alarm_threshold(maps[:3]) == pytest.approx(0.03, abs=1e-3)


def test_labelled_cases_give_a_third_threshold(population, tiny_cache, tmp_path):
    volume = tiny_cache.volume(tiny_cache.scans()[0])
    truth = torch.zeros_like(volume, dtype=torch.bool)
    truth[:, 40:52, 40:52, 10:20] = True
    write_volume(tmp_path, "A-T1", torch.where(truth, 0.02, volume), truth)
    write_settings(tmp_path, "patients", tiny_cache.settings, {})
    write_index(tmp_path, [CachedScan("A-T1", "A", "T1", "development", healthy=False, has_lesions=True)])
    entry = calibrate(population, tiny_cache, "T1", labelled=ArrayCache(tmp_path))["scores"]["dark"]["lesion_dice"]
    assert entry["dice"] > 0.7 and entry["found"] == "highest pooled Dice on 1 labelled cases of patients"
    with pytest.raises(InputError, match="no labelled development cases of T1"):
        calibrate(population, tiny_cache, "T1", labelled=tiny_cache)


@pytest.fixture
def one_thread():
    """Sums of several threads differ in their last digits, and where a residual is nothing else, so do the figures."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_processes_measure_what_one_measures(population, tiny_cache, one_thread):
    assert calibrate(population, tiny_cache, "T1", workers=1) == calibrate(population, tiny_cache, "T1")


def test_one_row_for_every_person_and_lesion(population, tiny_cache):
    rows = healthy_test(population, Threshold("t", 0.1, "both"), tiny_cache, "T1")
    assert [row["lesion"] is None for row in rows] == [True] + 8 * [False]
    assert {"psnr", "ssim", "marked_share"} <= set(rows[0]) and {"dice", "average_precision", "restored", "error_ratio"} <= set(rows[1])


def test_a_method_that_knows_the_scan_restores_it(population, tiny_cache):
    """Every scan of the tiny cache is the same, so the population's mean is the healthy scan itself."""
    population.reconstruct = lambda volume, **_: population.population_mean(volume.shape[-1])
    others = [Threshold("same", 0.02, "both"), Threshold("high", 2.0, "both")]
    rows = healthy_test(population, Threshold("t", 0.02, "both"), tiny_cache, "T1", others=others)
    assert all(row["dice_at"] == {"both at same": row["dice"], "both at high": 0} for row in rows[1:])
    assert rows[0]["psnr"] > 60 and rows[0]["marked_share"] == 0
    assert all(row["restored"] == pytest.approx(1, abs=1e-3) and row["dice"] > 0.7 for row in rows[1:])
    assert all(one["psnr"] > 60 and one["ssim"] > 0.99 for one in reconstruction_quality(population, tiny_cache, "T1").values())


def test_the_identity_restores_nothing(population, tiny_cache):
    population.reconstruct = lambda volume, **_: volume.clone()
    rows = healthy_test(population, Threshold("t", 0.02, "both"), tiny_cache, "T1")
    assert all(row["restored"] == 0 and row["dice"] == 0 for row in rows[1:])
    assert torch.tensor([row["average_precision"] for row in rows[1:]]).max() < 0.2
