"""Registration finds back what was done to a scan."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from umaddpm_core.evaluation.known_moves import cut, mean_displacement, moved_in_header, moved_physically, random_move
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.preprocessing.registration.geometry import affine, matrix_of, rotation

NEAREST = sitk.sitkNearestNeighbor


@pytest.fixture(scope="module")
def small_found(small_brain, template):
    return register(*small_brain, *template).transform


def test_the_same_scan_gives_the_same_bits(small_brain, small_found, template):
    again = register(*small_brain, *template).transform
    assert again.GetParameters() == small_found.GetParameters()
    assert again.GetFixedParameters() == small_found.GetFixedParameters()


def test_the_transform_maps_the_template_to_the_scan(small_brain, small_found, template):
    found = sitk.Resample(small_brain[1], template[1], small_found, NEAREST, 0)
    found, reference = (sitk.GetArrayViewFromImage(image) > 0 for image in (found, template[1]))
    assert 2 * np.count_nonzero(found & reference) / (np.count_nonzero(found) + np.count_nonzero(reference)) > 0.93


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    axes=st.permutations([0, 1, 2]),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    degrees=st.floats(0, 25),
    about=st.sampled_from([(0, 0, 1), (0, 1, 0), (1, 0, 0), (0.6, 0, 0.8)]),
    coarser=st.tuples(*[st.sampled_from([1.0, 1.5, 2.0])] * 3),
)
def test_however_a_scan_is_stored_it_lies_where_it_was(small_brain, small_found, template, axes, flips, degrees, about, coarser):
    def stored(image, interpolator):
        turn = np.array(image.GetDirection()).reshape(3, 3) @ rotation(np.array(about), degrees)
        spacing = np.array(image.GetSpacing()) * coarser
        size = np.ceil(1.3 * np.array(image.GetSize()) / coarser)
        middle = image.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in image.GetSize()])
        grid = sitk.Image(size.astype(int).tolist(), sitk.sitkUInt8)
        grid.SetSpacing(spacing.tolist())
        grid.SetDirection(turn.ravel().tolist())
        grid.SetOrigin((np.array(middle) - turn @ (spacing * (size - 1) / 2)).tolist())
        oblique = sitk.Resample(image, grid, sitk.Transform(), interpolator, 0.0, image.GetPixelID())
        return sitk.Flip(sitk.PermuteAxes(oblique, axes), flips)

    scan, brain = small_brain
    found = register(stored(scan, sitk.sitkLinear), stored(brain, NEAREST), *template).transform
    assert mean_displacement(small_found, found, template[1]) < 2.5


@pytest.mark.data
@pytest.mark.parametrize("seed", [1])
def test_a_known_move_in_the_header_is_found(person, template, seed):
    scan, brain, unmoved = person
    move = random_move(scan, np.random.default_rng(seed))
    found = register(moved_in_header(scan, move), moved_in_header(brain, move), *template).transform
    assert mean_displacement(unmoved, found, template[1], move) < 1


@pytest.mark.data
def test_a_known_move_of_the_voxels_is_found(person, template):
    scan, brain, unmoved = person
    move = affine(rotation(np.array([0.8, 0, 0.6]), 30), np.zeros(3), np.array([40.0, -30, 30]))
    found = register(moved_physically(scan, move, 1.5), moved_physically(brain, move, 1.5, NEAREST), *template).transform
    assert mean_displacement(unmoved, found, template[1], move) < 1


@pytest.mark.data
@pytest.mark.parametrize(("axis", "share"), [(2, 0.3), (1, -0.25), (0, 0.25)])
def test_a_cropped_field_of_view_does_no_harm(person, template, axis, share):
    scan, brain, unmoved = person
    found = register(*cut(scan, brain, axis, share), *template)
    assert found.overlap > 0.93 and found.quality.visible < 0.95
    assert mean_displacement(unmoved, found.transform, template[1]) < 2.5


@pytest.mark.data
@pytest.mark.parametrize("scan", ["brainix/T1.nii.gz"])
def test_thick_slices_are_found_however_they_lie(brain_of, template, scan):
    image, brain = brain_of(scan)
    unmoved = register(image, brain, *template)
    assert unmoved.overlap > 0.93
    move = affine(rotation(np.array([1.0, 0, 0]), 25), np.zeros(3), np.array([20.0, 30, -10]))
    found = register(moved_in_header(image, move), moved_in_header(brain, move), *template)
    assert mean_displacement(unmoved.transform, found.transform, template[1], move) < 1.5
    assert np.linalg.det(matrix_of(found.transform)) > 0
