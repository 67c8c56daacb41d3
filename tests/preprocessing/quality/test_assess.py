"""Every reason why a scan has to be looked at, or cannot be judged, in words."""

import numpy as np
import pytest

from umaddpm_core.preprocessing.quality.assess import assess
from umaddpm_core.preprocessing.quality.intensity import BINS, Cohort

GOOD = {
    "brain_ml": 1400.0,
    "registration": "registered",
    "registration_overlap": 0.95,
    "likeness": 0.85,
    "registration_information": 0.9,
    "brain_in_view": 1.0,
    "thickest_spacing_mm": 1.2,
    "detail": 0.4,
    "cavity_ml": 0.0,
    "warnings": [],
}


def spread(middle):
    """Grey values around a bin."""
    counts = np.exp(-0.5 * ((np.arange(BINS) - middle) / 3) ** 2)
    return counts / counts.sum()


COHORT = Cohort(spread(16), median=0.015, largest=0.04)


def test_an_ordinary_scan_is_ok():
    report = assess(GOOD, "T1", source="scan", said="T1", histogram=spread(16), cohort=COHORT)
    assert report.verdict == "ok" and report.reasons == ()
    assert report.figures["intensity_distance"] == 0 and "warnings" not in report.figures


@pytest.mark.parametrize(
    ("verdict", "figures", "told", "words"),
    [
        ("check", {"brain_in_view": 0.8, "brain_ml": 1120.0}, {}, "only 80% of the brain"),
        ("reject", {"brain_in_view": 0.58, "brain_ml": 810.0}, {}, "only 58% of the brain"),
        ("check", {"thickest_spacing_mm": 6.0}, {}, "6.0 mm apart"),
        ("check", {"registration_overlap": 0.88}, {}, "lies badly on the template"),
        ("reject", {"registration_overlap": 0.88, "registration_information": 0.02}, {}, "another part of the body"),
        ("check", {"likeness": 0.05}, {}, "check the sequence"),
        ("reject", {"likeness": -0.4}, {}, "inverted, or another sequence"),
        ("check", {"detail": 0.3}, {}, "blurred or smoothed"),
        ("reject", {"detail": 0.2}, {}, "phantom, or inverted"),
        ("check", {}, {"histogram": spread(19), "cohort": COHORT}, "grey values are unusual"),
        ("reject", {}, {"histogram": spread(26), "cohort": COHORT}, "not those of a T1 scan"),
        ("check", {}, {"said": "FLAIR"}, "say FLAIR, and the scan was examined as T1"),
        ("check", {}, {"source": "assumed"}, "name the modality"),
        ("check", {}, {"tags": {"ContrastBolusAgent": "GADOVIST"}}, "contrast agent was given"),
        ("check", {}, {"tags": {"SeriesDescription": "t1 mprage post gd"}}, "contrast agent was given"),
        ("check", {}, {"tags": {"PatientAge": "007Y"}}, "7 years old"),
        ("check", {}, {"tags": {"PatientAge": "018M"}}, "2 years old"),
        ("check", {"brain_ml": 800.0}, {}, "not made for children"),
        ("check", {"cavity_ml": 12.0}, {}, "after an operation or in a cyst"),
        ("check", {"warnings": ["The sform was used."]}, {}, "sform"),
    ],
)
def test_each_reason_is_a_sentence(verdict, figures, told, words):
    report = assess({**GOOD, **figures}, "T1", **{"source": "user", **told})
    assert report.verdict == verdict
    assert len(report.reasons) == 1 and words in report.reasons[0] and report.reasons[0].endswith(".")
    assert report.as_dict()["reasons"] == [report.reasons[0]]


def test_adults_and_treated_patients_are_not_taken_for_something_else():
    tags = {"PatientAge": "045Y", "SeriesDescription": "T1 post-op", "ContrastBolusAgent": "none"}
    assert assess(GOOD, "T1", tags=tags).verdict == "ok"


def test_the_worst_reason_comes_first():
    report = assess({**GOOD, "thickest_spacing_mm": 6.0, "detail": 0.1}, "T1")
    assert report.verdict == "reject" and "folds of a brain" in report.reasons[0] and "apart" in report.reasons[1]


def test_t2_is_expected_to_be_the_other_way_round():
    assert assess({**GOOD, "likeness": -0.5}, "T2").verdict == "ok"
    assert assess(GOOD, "T2").verdict == "reject"
