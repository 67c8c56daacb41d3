"""The atlas: what lies in its space already, and the user's own."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.known_moves import mean_displacement
from umaddpm_core.preprocessing.registration import read_atlas, register
from umaddpm_core.preprocessing.registration.atlas_space import ORIGIN, SIZE, on_atlas_grid
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN

IDENTITY = sitk.AffineTransform(3)


@pytest.fixture(scope="module")
def in_space(template):
    """The template's brain on the grid of BraTS."""
    grid = sitk.Image(SIZE, sitk.sitkUInt8)
    grid.SetOrigin(ORIGIN)
    return [sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear) for image in template]


def test_a_volume_in_sri24_space_is_left_alone(in_space, template):
    found = register(*in_space, *template)
    assert (found.way, found.backend) == ("recognised", "none")
    assert found.transform.GetParameters() == IDENTITY.GetParameters() and found.overlap > 0.97


def test_the_order_of_the_axes_does_not_matter(in_space):
    stored = sitk.Flip(sitk.PermuteAxes(in_space[0], [2, 0, 1]), [True, False, True])
    assert on_atlas_grid(stored)
    assert not on_atlas_grid(in_space[0][1:])


def test_a_brain_elsewhere_on_that_grid_is_registered(in_space, template):
    shift = sitk.AffineTransform(3)
    shift.SetTranslation((0.0, 0.0, -25.0))
    moved = [sitk.Resample(image, image, shift, sitk.sitkLinear) for image in in_space]
    found = register(*moved, *template)
    assert found.way == "registered"
    assert mean_displacement(IDENTITY, found.transform, template[1], shift.GetInverse()) < 1


@pytest.mark.data
@pytest.mark.parametrize("scan", ["brats/BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz", "brats/TCGA-DU-7294/TCGA-DU-7294-t2w.nii.gz"])
def test_brats_is_recognised(brain_of, template, scan):
    assert register(*brain_of(scan), *template).way == "recognised"


@pytest.mark.data
def test_sri24_itself_can_be_the_atlas(real_data, template):
    atlas, brain = read_atlas(real_data / "atlas/sri24/T1.nii.gz")
    found = register(atlas, brain, *template)
    assert found.way == "recognised" and found.overlap > 0.93


def test_the_shipped_template_is_the_default():
    template, brain = read_atlas()
    assert np.array_equal(sitk.GetArrayViewFromImage(brain) > 0, sitk.GetArrayViewFromImage(template) > 0)
    assert read_atlas(TEMPLATE)[1].GetSize() == brain.GetSize()


def test_an_atlas_with_a_skull_needs_a_mask(sample, sample_truth, tmp_path):
    with pytest.raises(InputError, match="seems to show a skull"):
        read_atlas(sample)
    mask = tmp_path / "brain.nii.gz"
    sitk.WriteImage(sample_truth, str(mask))
    assert set(np.unique(sitk.GetArrayViewFromImage(read_atlas(sample, mask)[1]))) == {0, 1}


def test_an_atlas_that_cannot_be_used_gets_one_sentence(sample, tmp_path):
    text = tmp_path / "atlas.nii.gz"
    text.write_text("not an atlas")
    for atlas, brain, reason in (
        (text, None, "atlas.nii.gz"),
        (tmp_path / "none.nii.gz", None, "There is no file"),
        (sample, TEMPLATE_BRAIN, "does not lie on the grid"),
        (None, TEMPLATE_BRAIN, "name the atlas too"),
    ):
        with pytest.raises(InputError, match=reason):
            read_atlas(atlas, brain)
