"""Who trains and who is tested."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umaddpm_core.data.cohorts import Scan, ixi, ixi_brain_labels, lgg, read_cohort
from umaddpm_core.data.splits import PARTS, cohort_parts, healthy_split, lesion_split, sequences_by_subject

SHARED_IXI_SPLIT = "e26a8d2e2dba826727a42f5cede4be9831696f2103fc62984d5ae64a7bda52db"
SHARED_LGG_SPLIT = "bf966534ee0fcafdb3977f355e0f3a6a84d2a19a0402095c5ad4186c3069ff6d"
"""SHA-256 of the parts by subject (JSON, sorted) with which the shipped models were trained and their tables made."""


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


def fingerprint(parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@pytest.mark.data
def test_the_splits_of_the_shipped_models_never_change(real_data):
    folder = real_data / "ixi"
    assert fingerprint(cohort_parts(read_cohort(folder), "ixi", ixi_brain_labels(folder))) == SHARED_IXI_SPLIT
    cases = cohort_parts(read_cohort(real_data / "lgg"), "lgg")
    assert fingerprint(cases) == SHARED_LGG_SPLIT
    tumours = cohort_parts(read_cohort(real_data / "brats"), "brats")
    assert all(part == cases.get(person, part) for person, part in tumours.items()), "a person is in the same part in both cohorts"


def scan(subject, modality, healthy=True, part=None):
    return Scan(subject, modality, Path(f"{subject}-{modality}.nii.gz"), healthy=healthy, part=part)


@pytest.mark.parametrize(("layout", "people", "development"), [("brats", 1251, 100), ("mslub", 30, 10), ("lgg", 50, 15)])
def test_labelled_cohorts_are_split_as_published(layout, people, development):
    parts = cohort_parts([scan(f"P{n}", "T2", healthy=False) for n in range(people)], layout)
    assert list(parts.values()).count("development") == development
    assert set(parts.values()) == {"development", "test"}


def test_many_people_with_two_sequences_are_split_eight_to_one_to_one():
    split = healthy_split({f"P{i}": {"T1", "T2"} for i in range(570)})
    assert [list(split.values()).count(part) for part in PARTS] == [456, 57, 57]


PEOPLE = st.dictionaries(
    st.text("abcdefgh0123456789", min_size=1, max_size=6),
    st.tuples(st.sets(st.sampled_from(["T1", "T2", "FLAIR"]), min_size=1), st.booleans(), st.sampled_from([None, "test"])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(PEOPLE, PEOPLE, st.sampled_from(["ixi", "brats", "folder"]))
def test_nobody_is_on_two_sides_however_a_cohort_grows(people, more, layout):
    def scans_of(described):
        return [scan(who, m, healthy, part) for who, (modalities, healthy, part) in described.items() for m in sorted(modalities)]

    before = cohort_parts(scans_of(people), layout)
    assert before == cohort_parts(scans_of(people)[::-1], layout)
    assert set(before) == set(people)
    for who, (_, healthy, part) in people.items():
        assert before[who] == "test" if part else before[who] in (PARTS if healthy else ("development", "test"))
    grown = {**more, **people}
    after = cohort_parts(scans_of(grown), layout, kept=before)
    assert set(after) == set(grown) and before.items() <= after.items()


def test_a_person_whose_lesions_become_known_leaves_the_training_part():
    kept = {"P1": "training", "P2": "test"}
    parts = cohort_parts([scan("P1", "T1", healthy=False), scan("P2", "T1")], "folder", kept=kept)
    assert parts["P1"] in ("development", "test") and parts["P2"] == "test"
