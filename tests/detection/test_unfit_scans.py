"""What is no brain, or no scan the model was made for, is refused by the shipped model in one sentence: no mask of it."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from umaddpm_core.detection import Detector
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan

SIDE, SPACING_MM = 90, 2.4


@pytest.fixture(scope="module")
def detector():
    return Detector.load()


def image(voxels):
    made = sitk.GetImageFromArray(voxels.astype(np.float32))
    made.SetSpacing([SPACING_MM] * 3)
    return made


def distance(*radii_mm):
    """From the middle, in units of an ellipsoid's half axes z, y, x; an endless one along an axis of radius inf."""
    axes = (np.indices([SIDE] * 3) - SIDE / 2) * SPACING_MM
    return np.sqrt(sum((axis / radius) ** 2 for axis, radius in zip(axes, radii_mm)))


def grain(seed=0):
    return 4 * np.random.default_rng(seed).standard_normal([SIDE] * 3)


def limb():
    """A made thigh: bone, marrow, muscle, fat."""
    depth = distance(np.inf, 75, 70)
    voxels = np.select([depth < 0.12, depth < 0.2, depth < 0.8, depth < 1], [110.0, 10, 55, 120], 2)
    return image(voxels + grain())


def layered_phantom():
    """A made bottle in the size of a head: two liquids in a shell."""
    depth = distance(70, 85, 68)
    voxels = np.select([depth < 0.6, depth < 0.92, depth < 1], [90.0, 60, 5], 0)
    return image(ndimage.gaussian_filter(voxels, 0.7) + grain())


def stripped_ball():
    """A made ball of one liquid in the size of a brain, on an exact background."""
    inside = distance(66, 80, 64) < 1
    return image(np.where(inside, 80 + grain(), 0))


def noise():
    return image(50 + 10 * grain(1))


MADE = {"limb": limb, "layered phantom": layered_phantom, "stripped ball": stripped_ball, "noise": noise}


def refusal(detector, scan, **request):
    with pytest.raises(InputError) as caught:
        detector.detect(scan, **request)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400
    return sentence


@pytest.mark.parametrize("what", MADE)
def test_what_is_no_brain(detector, what):
    refusal(detector, MADE[what]())


def test_an_inverted_brain(detector, small_scan):
    scan = read_scan(small_scan).image
    voxels = sitk.GetArrayFromImage(scan)
    inverted = sitk.GetImageFromArray(np.where(voxels > 0, voxels.max() + 1 - voxels, 0))
    inverted.CopyInformation(scan)
    assert "sequence" in refusal(detector, inverted)


def test_an_inverted_head(detector, sample):
    scan = read_scan(sample).image
    refusal(detector, sitk.InvertIntensity(scan, float(sitk.GetArrayViewFromImage(scan).max())))


def test_negative_intensities_are_no_reason(detector, small_scan):
    """A scan whose scale begins elsewhere is judged as it is; without a factor of shading to find."""
    scan = read_scan(small_scan).image
    moved = scan - 0.5 * float(sitk.GetArrayViewFromImage(scan).max())
    prepared, usual = detector.preprocessor.prepare(moved), detector.preprocessor.prepare(scan)
    assert prepared.quality["bias_corrected"] is False and usual.quality["bias_corrected"] is True
    assert (prepared.volume - usual.volume).abs().mean() < 0.05


def test_masks_that_do_not_fit(detector, small_scan):
    scan = read_scan(small_scan).image
    nothing, everything = scan * 0, scan * 0 + 1
    corner = sitk.Image(nothing)
    corner[:45, :45, :45] = 1
    assert "mask measures 0 ml" in refusal(detector, scan, brain=nothing)
    assert "mask measures" in refusal(detector, scan, brain=everything)
    refusal(detector, scan, brain=corner)


@pytest.mark.data
@pytest.mark.parametrize("scan", ["ixi/T2/IXI132-HH-1415-T2.nii.gz", "brainix/T2.nii.gz"])
def test_another_sequence_under_no_name(detector, scan, real_data):
    """Examined as T1 because nothing says what it is: its grey values do."""
    assert "sequence" in refusal(detector, read_scan(real_data / scan).image)


@pytest.mark.data
def test_a_slab_of_a_head(detector, real_data):
    whole = read_scan(real_data / "brainix/T1.nii.gz").image
    assert "only" in refusal(detector, whole[:, :, 2 * whole.GetSize()[2] // 3 :], modality="T1")


@pytest.mark.data
@pytest.mark.parametrize(
    "scan, words",
    [
        ("brainix/T1.nii.gz", "mm apart"),
        ("brainix/FLAIR.nii.gz", "grey values are unusual"),
        ("brats/BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz", None),
        ("mslub/patient07/patient07_T1W.nii.gz", None),
    ],
)
def test_real_scans_are_judged(detector, scan, words, real_data):
    report = detector.detect(read_scan(real_data / scan).image, modality="T1").report
    assert report["quality"]["verdict"] in ("ok", "check")
    assert words is None or any(words in reason for reason in report["quality"]["reasons"])
