"""What is no brain, or too little of one, is refused in one sentence."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.known_moves import cut
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.preprocessing.registration.geometry import affine, rotation
from umaddpm_core.preprocessing.registration.quality import Quality, check

GOOD = Quality(overlap=0.95, correlation=0.8, information=0.5, visible=1.0)


def like(voxels, image):
    made = sitk.GetImageFromArray(voxels)
    made.CopyInformation(image)
    return made


def refusal(scan, brain, template):
    with pytest.raises(InputError) as caught:
        register(scan, brain, *template)
    sentence = str(caught.value)
    assert sentence.startswith("This scan could not be aligned") and sentence.endswith(".") and len(sentence) < 300
    return sentence


@pytest.fixture(scope="module")
def noise(small_brain):
    image = small_brain[0]
    return like(np.random.default_rng(0).random(image.GetSize()[::-1], dtype=np.float32), image)


def test_noise_in_the_shape_of_a_brain(small_brain, noise, template):
    assert "does not resemble" in refusal(noise, small_brain[1], template)


@pytest.mark.parametrize("blur_mm", [0.0, 6.0])
def test_noise_in_a_ball(noise, template, blur_mm):
    shape = np.array(noise.GetSize()[::-1])
    distance = np.linalg.norm(np.indices(shape).reshape(3, -1).T - shape / 2, axis=1).reshape(shape)
    ball = like((distance < 67 / 3).astype(np.uint8), noise)
    assert "does not resemble" in refusal(sitk.SmoothingRecursiveGaussian(noise, blur_mm) if blur_mm else noise, ball, template)


def test_half_of_a_brain_cut_out(small_brain, template):
    scan, brain = small_brain
    voxels = sitk.GetArrayFromImage(sitk.DICOMOrient(brain, "LPS"))
    voxels[:, :, : voxels.shape[2] // 2] = 0
    refusal(sitk.DICOMOrient(scan, "LPS"), like(voxels, sitk.DICOMOrient(brain, "LPS")), template)


def test_half_of_a_head_in_view(small_brain, template):
    assert "shows only" in refusal(*cut(*small_brain, axis=0, share=0.55), template)


@pytest.mark.parametrize(
    ("quality", "matrix", "reason"),
    [
        (Quality(0.95, 0.8, 0.5, 0.3), np.eye(3), "shows only 30% of a brain"),
        (Quality(0.5, 0.8, 0.5, 1.0), np.eye(3), "the overlap is 0.50"),
        (Quality(0.95, 0.8, 0.001, 1.0), np.eye(3), "does not resemble"),
        (GOOD, np.diag([-1.0, 1, 1]), "axes in its header"),
        (GOOD, rotation(np.array([0.0, 0, 1]), 90), "axes in its header"),
        (GOOD, np.diag([1.0, 1, 2]), "stretched by 1.00 to 2.00"),
    ],
)
def test_each_bound_has_its_reason(quality, matrix, reason):
    with pytest.raises(InputError, match=reason):
        check(quality, affine(matrix, np.zeros(3), np.zeros(3)))


def test_good_figures_pass():
    check(GOOD, affine(rotation(np.array([1.0, 0, 0]), 40) * 0.8, np.zeros(3), np.full(3, 500.0)))
