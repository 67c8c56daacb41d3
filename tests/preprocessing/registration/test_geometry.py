"""Properties of rotations, affine maps and shapes."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from umaddpm_core.preprocessing.registration.geometry import affine, matrix_of, nearest_turn, rotation, turn_degrees
from umaddpm_core.preprocessing.registration.shape import SoftShape, fit_shape
from umaddpm_core.preprocessing.registration.starts import candidates

units = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: v / np.linalg.norm(v))


@given(axis=units, degrees=st.floats(-180, 180))
def test_rotation_agrees_with_scipy(axis, degrees):
    matrix = rotation(axis, degrees)
    assert np.allclose(matrix, Rotation.from_rotvec(np.deg2rad(degrees) * axis).as_matrix())
    assert turn_degrees(matrix) == pytest.approx(abs(degrees), abs=1e-4)


@given(axis=units, degrees=st.floats(0, 40), signs=st.tuples(*[st.sampled_from([1, -1])] * 3))
def test_the_nearest_turn_ignores_the_signs_of_axes(axis, degrees, signs):
    turn = rotation(axis, degrees)
    assert np.allclose(nearest_turn(np.eye(3), turn @ np.diag(signs)), turn, atol=1e-6)


@given(axis=units, degrees=st.floats(0, 90), scale=st.floats(0.5, 2), point=units, centre=units, image=units)
def test_an_affine_map_does_as_it_is_told(axis, degrees, scale, point, centre, image):
    transform = affine(scale * rotation(axis, degrees), 100 * centre, 100 * image)
    assert np.allclose(transform.TransformPoint((100 * centre).tolist()), 100 * image)
    expected = matrix_of(transform) @ (point - 100 * centre) + 100 * image
    assert np.allclose(transform.TransformPoint(point.tolist()), expected)


def head(direction, spacing, move):
    """An egg with a nose, moved, on a grid with these axes."""
    side = np.ceil(220 / np.array(spacing))
    image = sitk.Image(side.astype(int).tolist(), sitk.sitkUInt8)
    image.SetSpacing(spacing)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((-direction @ (np.array(spacing) * (side - 1) / 2)).tolist())
    index = np.stack(np.meshgrid(*[np.arange(n) for n in image.GetSize()], indexing="ij"), -1)
    points = index @ (direction * spacing).T + image.GetOrigin()
    x, y, z = np.moveaxis((points - move.TransformPoint((0.0, 0.0, 0.0))) @ np.linalg.inv(matrix_of(move)).T, -1, 0)
    egg = (x / 60) ** 2 + (y / (75 + 0.15 * z)) ** 2 + (z / 50) ** 2 < 1
    nose = x**2 + (y + 60) ** 2 + (z + 45) ** 2 < 25**2
    made = sitk.GetImageFromArray((egg | nose).astype(np.uint8).transpose(2, 1, 0))
    made.CopyInformation(image)
    return made


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    axis=units, degrees=st.floats(0, 30), scale=st.floats(0.9, 1.1), shift=units, oblique=units,
    order=st.permutations([0, 1, 2]), flips=st.tuples(*[st.sampled_from([1.0, -1.0])] * 3), thick=st.sampled_from([3.0, 5.0]),
)  # fmt: skip
def test_a_shape_is_found_however_it_was_stored(axis, degrees, scale, shift, oblique, order, flips, thick):
    template = head(np.eye(3), [3.0, 3.0, 3.0], sitk.AffineTransform(3))
    move = affine(scale * rotation(axis, degrees), np.zeros(3), 15 * shift)
    direction = (rotation(oblique, 20) * flips)[:, order]
    scan = head(direction, [3.0, 3.0, thick], move)
    points = np.stack(np.meshgrid(*[np.arange(-90.0, 91, 9)] * 3), -1).reshape(-1, 3)
    values = SoftShape.of(template, 8.0).at(points)[0]
    found, error = fit_shape(points, values, SoftShape.of(scan, 8.0), candidates(scan, template)[0])
    inside = points[values > 0.5]
    far = [np.subtract(found.TransformPoint(point), move.TransformPoint(point)) for point in inside.tolist()]
    assert error < 0.001 and np.linalg.norm(far, axis=1).mean() < 4


def test_no_start_mirrors_and_the_first_is_not_turned():
    template = head(np.eye(3), [3.0, 3.0, 3.0], sitk.AffineTransform(3))
    starts = candidates(head(np.diag([-1.0, -1, 1]), [2.0, 3.0, 4.0], sitk.AffineTransform(3)), template)
    assert all(np.linalg.det(matrix_of(start)) > 0 for start in starts)
    assert turn_degrees(matrix_of(starts[0])) < 1e-3
    assert np.allclose(starts[0].TransformPoint((0.0, 0.0, 0.0)), 0, atol=2)


def test_where_hardly_anything_is_seen_nothing_is_fitted():
    scan = SoftShape.of(head(np.eye(3), [3.0] * 3, sitk.AffineTransform(3)), 8.0)
    start = affine(np.eye(3), np.zeros(3), np.full(3, 1000.0))
    found, error = fit_shape(np.zeros((10, 3)), np.ones(10), scan, start)
    assert error == np.inf and found.GetParameters() == start.GetParameters()
