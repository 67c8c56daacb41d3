"""What is drawn on a scan comes back where it was, whatever the scan's grid."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from umaddpm_core.detection.anomaly_map import mask_of
from umaddpm_core.preprocessing.grid import to_image
from umaddpm_core.preprocessing.intensity import Window
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.prepared import PreparedScan
from umaddpm_core.preprocessing.reading import read_scan, same_grid

RADIUS_MM = 15.0
CENTRE_MM = np.array([12.0, -20.0, 8.0])
"""Of the sphere, in the scan's world."""


def world(image):
    """Coordinates of all voxels [z, y, x, 3] in mm."""
    index = np.stack(np.meshgrid(*[np.arange(side) for side in image.GetSize()], indexing="ij"), -1)
    axes = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    return (index @ axes.T + np.array(image.GetOrigin())).transpose(2, 1, 0, 3)


def sphere_on(image, centre=CENTRE_MM):
    inside = np.linalg.norm(world(image) - centre, axis=-1) <= RADIUS_MM
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.CopyInformation(image)
    return mask


def dice_and_shift(mask, back):
    """Dice of two masks on one grid, and the distance of their centres in mm."""
    first, second = (sitk.GetArrayViewFromImage(image) > 0 for image in (mask, back))
    points = world(mask)
    dice = 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))
    return dice, np.linalg.norm(points[first].mean(0) - points[second].mean(0))


def empty_scan(direction, spacing, extent_mm=80.0):
    """An empty image of this geometry, centred on the sphere."""
    size = [int(np.ceil(extent_mm / side)) for side in spacing]
    image = sitk.Image(size, sitk.sitkFloat32)
    image.SetSpacing([float(side) for side in spacing])
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((CENTRE_MM - direction @ ((np.array(size) - 1) / 2 * spacing)).tolist())
    return image


def prepared_by(scan, to_native):
    """A scan that was prepared with a known alignment; nothing is registered."""
    grid = sitk.Image([96, 96, 80], sitk.sitkUInt8)
    grid.SetSpacing([2.0] * 3)
    middle = np.array(to_native.GetInverse().TransformPoint(CENTRE_MM.tolist()))
    grid.SetOrigin((middle - [95.0, 95.0, 79.0]).tolist())
    volume = torch.zeros(1, 96, 96, 80)
    return PreparedScan(volume, volume > -1, grid, to_native, scan, sphere_on(scan), Window(0.0, 1.0), None, {})


directions = st.tuples(
    st.permutations(range(3)), st.tuples(*[st.sampled_from((-1.0, 1.0))] * 3), st.tuples(*[st.integers(-45, 45)] * 3)
).map(lambda parts: Rotation.from_euler("xyz", parts[2], degrees=True).as_matrix() @ (np.eye(3)[list(parts[0])] * parts[1]))
alignments = st.tuples(st.tuples(*[st.integers(-30, 30)] * 3), st.tuples(*[st.floats(0.85, 1.15)] * 3), st.tuples(*[st.integers(-60, 60)] * 3))


def alignment(parts):
    transform = sitk.AffineTransform(3)
    transform.SetMatrix((Rotation.from_euler("xyz", parts[0], degrees=True).as_matrix() * parts[1]).ravel().tolist())
    transform.SetTranslation([float(shift) for shift in parts[2]])
    return transform


@settings(max_examples=25, deadline=None)
@given(directions, alignments, st.tuples(*[st.floats(0.8, 1.2)] * 3))
def test_any_fine_grid_comes_back(direction, parts, spacing):
    scan = empty_scan(direction, spacing)
    prepared = prepared_by(scan, alignment(parts))
    mask = sphere_on(scan)
    back = prepared.restore_mask(prepared.mask_to_grid(mask))
    assert same_grid(back, scan)
    dice, shift = dice_and_shift(mask, back)
    assert dice >= 0.93 and shift <= 0.3


@settings(max_examples=25, deadline=None)
@given(directions, alignments, st.permutations((0.9, 1.0, 6.0)))
def test_thick_oblique_slices_come_back(direction, parts, spacing):
    scan = empty_scan(direction, spacing)
    prepared = prepared_by(scan, alignment(parts))
    mask = sphere_on(scan)
    dice, shift = dice_and_shift(mask, prepared.restore_mask(prepared.mask_to_grid(mask)))
    assert dice >= 0.85 and shift <= 1.0


@settings(max_examples=20, deadline=None)
@given(directions, alignments, st.tuples(*[st.floats(0.8, 6)] * 3))
def test_a_point_of_the_grid_is_where_the_alignment_says(direction, parts, spacing):
    """A bright voxel of the grid comes back around the point of the scan that the alignment maps it to."""
    scan = empty_scan(direction, spacing)
    prepared = prepared_by(scan, alignment(parts))
    volume = torch.zeros(1, 96, 96, 80)
    volume[0, 44:52, 46:50, 38:44] = 1
    middle = to_image(volume, prepared.grid).TransformContinuousIndexToPhysicalPoint((47.5, 47.5, 40.5))
    expected = np.array(prepared.to_native.TransformPoint(middle))
    values = sitk.GetArrayFromImage(prepared.restore(volume))
    found = (world(scan) * values[..., None]).sum((0, 1, 2)) / values.sum()
    assert np.linalg.norm(found - expected) <= 0.35 * max(spacing)


@settings(max_examples=15, deadline=None)
@given(directions, alignments)
def test_a_lesion_is_covered_in_every_thick_slice(direction, parts):
    """From a map on the grid to the mask on oblique 6 mm slices: each slice through the lesion is covered, none beyond it."""
    scan = empty_scan(direction, (0.9, 0.9, 6.0))
    prepared = prepared_by(scan, alignment(parts))
    truth = sitk.GetArrayFromImage(sphere_on(scan)) > 0
    score_map = prepared.mask_to_grid(sphere_on(scan)).float() * 0.4
    mask = mask_of(sitk.GetArrayFromImage(prepared.restore(score_map)), 0.2, float(np.prod(scan.GetSpacing())))
    pixels = truth.sum((1, 2))
    for number in np.flatnonzero(pixels > 0.3 * pixels.max()):
        assert (mask[number] & truth[number]).sum() / pixels[number] > 0.8
    distance = np.linalg.norm(world(scan) - CENTRE_MM, axis=-1)
    assert distance[mask].max() < RADIUS_MM + 6.0


@pytest.mark.parametrize("spacing, bound, most_mm", [((1.0, 1.0, 1.0), 0.93, 0.3), ((0.9, 0.9, 6.0), 0.85, 1.0)])
def test_through_the_whole_preparation(sample, spacing, bound, most_mm):
    """The sample head at 1 mm, and cut into oblique 6 mm slices; registration and all."""
    head = read_scan(sample).image
    direction = np.eye(3) if spacing[2] == 1 else Rotation.from_euler("xyz", (12, -7, 9), degrees=True).as_matrix()
    middle = np.array(head.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in head.GetSize()]))
    size = [int(np.ceil(230 / side)) for side in spacing]
    origin = middle - direction @ ((np.array(size) - 1) / 2 * spacing)
    low = float(sitk.GetArrayViewFromImage(head).min())
    scan = sitk.Resample(
        head, size, sitk.Transform(), sitk.sitkLinear, origin.tolist(), spacing, direction.ravel().tolist(), low, sitk.sitkFloat32
    )
    prepared = Preprocessor().prepare(scan)
    brain = world(scan)[sitk.GetArrayViewFromImage(prepared.scan_brain) > 0].mean(0)
    mask = sphere_on(scan, brain + [20, 10, 10])
    dice, shift = dice_and_shift(mask, prepared.restore_mask(prepared.mask_to_grid(mask)))
    assert dice >= bound and shift <= most_mm
