"""A detection tells its phases in words, and stops in the midst of them when asked to."""

import itertools

import pytest
import SimpleITK as sitk

from umaddpm_core.detection import Detector
from umaddpm_core.detection.phases import PHASES
from umaddpm_core.errors import Cancelled
from umaddpm_core.interruption import checkpoint, interruptible
from umaddpm_core.preprocessing.brain_extraction import bundled_mask, stripped_mask
from umaddpm_core.preprocessing.intensity import bias_field
from umaddpm_core.preprocessing.registration import read_atlas, register


@pytest.fixture
def scan(small_scan):
    return sitk.ReadImage(str(small_scan), sitk.sitkFloat32)


def asked_at(number):
    """A question that is answered by yes from the `number`-th time on."""
    count = itertools.count(1)
    return lambda: next(count) >= number


def test_phases_are_told_in_their_order(tiny_model, small_scan):
    told = []
    Detector.load(tiny_model).detect(small_scan, progress=lambda share, phase: told.append((share, phase)))
    assert list(dict.fromkeys(phase for _, phase in told)) == [*PHASES, "done"]
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1


WORK = {
    "brain extraction": lambda scan: bundled_mask(scan),
    "alignment": lambda scan: register(scan, stripped_mask(scan), *read_atlas()),
    "bias correction": lambda scan: bias_field(scan, stripped_mask(scan)),
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("number", [1, 3])
def test_work_stops_in_its_midst(scan, work, number):
    with interruptible(asked_at(number)), pytest.raises(Cancelled):
        WORK[work](scan)


def test_nothing_is_asked_outside_of_the_block():
    with interruptible(lambda: True):
        pass
    checkpoint()
    with interruptible(lambda: True), interruptible(None):
        checkpoint()
