"""The template, and scans with their brains, extracted once."""

from functools import lru_cache

import pytest

from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.registration import read_atlas, register

PERSON = "ixi/T1/IXI252-HH-1693-T1.nii.gz"


@pytest.fixture(scope="session")
def template():
    return read_atlas()


@pytest.fixture(scope="session")
def small_brain(small_scan):
    """A sample scan at 3 mm and its brain."""
    scan = read_scan(small_scan).image
    return scan, brain_mask(scan)[0]


@pytest.fixture(scope="session")
def brain_of(real_data):
    """Gives a real scan and its brain."""

    @lru_cache
    def read(name):
        scan = read_scan(real_data / name).image
        return scan, brain_mask(scan)[0]

    return read


@pytest.fixture(scope="session")
def person(brain_of, template):
    """A person who is not in the template: scan, brain, and where the template's points lie."""
    scan, brain = brain_of(PERSON)
    return scan, brain, register(scan, brain, *template).transform
