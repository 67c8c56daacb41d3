"""Who trains and who is tested."""

import pytest

from umaddpm_core.data.cohorts import ixi, ixi_brain_labels, lgg, sequences_by_subject
from umaddpm_core.data.splits import healthy_split, lesion_split


def test_the_split_is_fixed_and_by_subject():
    people = {f"P{i}": {"T1"} for i in range(100)}
    split = healthy_split(people)
    assert split == healthy_split(dict(reversed(people.items())))
    assert [list(split.values()).count(part) for part in ("training", "validation", "test")] == [80, 10, 10]


def test_another_seed_is_another_split():
    people = {f"P{i}": {"T1"} for i in range(100)}
    assert healthy_split(people, seed=1) != healthy_split(people)


def test_people_with_two_sequences_and_labels_are_tested_first():
    people = {f"P{i}": {"T1", "T2"} for i in range(24)}
    split = healthy_split(people, labelled={"P3", "P17"})
    assert split["P3"] == split["P17"] == "test"
    assert [list(split.values()).count(part) for part in ("training", "validation", "test")] == [16, 3, 5]


@pytest.mark.data
def test_the_real_cohorts_are_split_as_the_design_says(real_data):
    scans = ixi(real_data / "ixi")
    split = healthy_split(sequences_by_subject(scans), ixi_brain_labels(real_data / "ixi"))
    count = {part: sum(scan.modality == "T2" and split[scan.subject] == part for scan in scans) for part in ("training", "validation", "test")}
    assert count == {"training": 16, "validation": 3, "test": 5}
    assert len(split) == 183 and list(split.values()).count("test") == 21
    cases = lesion_split(case.subject for case in lgg(real_data / "lgg"))
    assert (len(cases), list(cases.values()).count("development")) == (50, 15)
