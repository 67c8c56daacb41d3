"""Named thresholds, and what they mean in words."""

import pytest
from AnomalyDetectionLib.calibrations import Calibration, calibrations

REPORT = {
    "modality": "T1", "weights": "abc",
    "threshold": {"name": "healthy_scans_10", "value": 0.0832, "score": "dark", "healthy_scans_with_findings": 0.053},
}  # fmt: skip


def model(weights, score):
    entry = {"name": "healthy_fpr_1", "value": 0.04, "score": score, "found": "1 % of voxels", "healthy_scans_with_findings": 1.0}
    return {"weights": weights, "thresholds": {"T1": {"calibrated": {"healthy_fpr_1": entry}}}}


def test_calibrations_are_those_of_the_results_model_and_score():
    assert [one.name for one in calibrations(REPORT)] == ["healthy_scans_10"]
    assert [one.name for one in calibrations(REPORT, [model("abc", "dark")])] == ["healthy_scans_10", "healthy_fpr_1"]
    # A value for another score, or of another model, means nothing for this map.
    assert [one.name for one in calibrations(REPORT, [model("abc", "both"), model("other", "dark")])] == ["healthy_scans_10"]
    assert calibrations({"threshold": {"name": "user", "value": 0.1, "score": "dark"}}) == ()


@pytest.mark.parametrize(
    "share, words",
    [
        (0.0, "None of ten"), (0.053, "Fewer than one of ten"), (0.1, "About 1 of ten"), (0.4, "About 4 of ten"),
        (0.97, "About 9 of ten"), (1.0, "All"),
    ],
)
def test_cost_on_healthy_scans_is_told_as_so_many_of_ten(share, words):
    assert words in Calibration("healthy_fpr_1", 0.04, "found so", share, 1.2).meaning
    assert "in the median 1.2 ml" in Calibration("healthy_fpr_1", 0.04, "found so", share, 1.2).meaning


def test_unknown_calibration_keeps_its_name():
    assert Calibration("of_the_hospital", 0.1).title == "of_the_hospital" and Calibration("x", 0.1).meaning == ""
