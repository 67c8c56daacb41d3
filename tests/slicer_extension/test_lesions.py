"""The extension's mask and lesions are the server's, voxel for voxel, at every threshold."""

import numpy as np
import pytest
import SimpleITK as sitk
from AnomalyDetectionLib import lesions as ours
from AnomalyDetectionLib import structures as our_structures
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from umaddpm_core.detection import anomaly_map as theirs
from umaddpm_core.detection.lesions import find_lesions
from umaddpm_core.preprocessing import structures as their_structures

SPACINGS = st.sampled_from([0.5, 0.8, 0.9375, 1.0, 1.2, 2.0, 3.0, 4.0])
# Few values, so that thresholds are hit exactly and sizes are equal.
MAPS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9),
    elements=st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.3000001, -0.2]).map(lambda value: float(np.float32(value))),
)


def as_image(values, spacing, angle=0.0):
    """An oblique image in SimpleITK, and its IJK to RAS matrix as Slicer would give it."""
    image = sitk.GetImageFromArray(values)
    turn = sitk.Euler3DTransform()
    turn.SetRotation(angle, -angle / 2, angle / 3)
    image.SetDirection(turn.GetMatrix())
    image.SetSpacing(spacing)
    image.SetOrigin((-30.0, 12.5, 7.0))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3)) * spacing
    affine[:3, 3] = image.GetOrigin()
    return image, np.diag([-1.0, -1, 1, 1]) @ affine


def server_mask(values, threshold, spacing, smallest):
    return theirs.mask_of(values, threshold, float(np.prod(spacing)), smallest)


@settings(max_examples=300, deadline=None)
@given(MAPS, st.tuples(SPACINGS, SPACINGS, SPACINGS), st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.3, 0.5]), st.sampled_from([0.0, 1, 8, 64]))
def test_mask_is_the_servers(values, spacing, threshold, smallest):
    findings = ours.AnomalyMap(values, as_image(values, spacing)[1]).findings(threshold, smallest)
    np.testing.assert_array_equal(findings.mask(), server_mask(values, threshold, spacing, smallest))


@settings(max_examples=150, deadline=None)
@given(MAPS, st.tuples(SPACINGS, SPACINGS, SPACINGS), st.floats(-1, 1), st.randoms(use_true_random=False))
def test_lesions_are_the_servers_in_the_same_order(values, spacing, angle, random):
    numbers = np.array([random.choice([0, 2, 3, 41, 42, 85, 200]) for _ in range(values.size)], np.uint8).reshape(values.shape)
    image, affine = as_image(values, spacing, angle)
    findings = ours.AnomalyMap(values, affine, numbers).findings(0.15, 2.0)
    mask, labels = (sitk.GetImageFromArray(array) for array in (findings.mask(), numbers))
    for one in (mask, labels):
        one.CopyInformation(image)
    expected = find_lesions(mask, image, labels)
    assert len(findings.lesions) == len(expected)
    for lesion, other in zip(findings.lesions, expected):
        told = other.as_dict()
        assert (lesion.number, lesion.side, lesion.structure) == (other.label, other.side, other.structure)
        assert lesion.place == told["place"]
        assert lesion.volume_ml == pytest.approx(other.volume_ml, abs=1.1e-3)
        for ours_, theirs_ in ((lesion.centroid_ras, other.centroid_ras), (lesion.extent_mm, other.extent_mm)):
            assert ours_ == pytest.approx(theirs_, abs=0.101)
        assert (lesion.peak, lesion.mean) == pytest.approx((other.peak, other.mean), abs=1.1e-4)


def test_structures_have_the_servers_numbers():
    assert our_structures.NAMES == their_structures.NAMES
    assert our_structures.ONE_SIDE == their_structures.ONE_SIDE
    assert ours.SMALLEST_LESION_MM3 == theirs.SMALLEST_LESION_MM3


def lump(shape=(40, 44, 36), seed=0):
    """A smooth map of positive numbers with many lesions at every threshold."""
    noise = sitk.DiscreteGaussian(sitk.GetImageFromArray(np.random.default_rng(seed).standard_normal(shape).astype(np.float32)), 2.0)
    values = np.abs(sitk.GetArrayFromImage(noise))
    values[:3], values[:, -4:] = 0, 0
    return values


def test_one_map_serves_every_threshold():
    values, spacing = lump(), (0.9375, 0.9375, 1.5)
    prepared = ours.AnomalyMap(values, as_image(values, spacing)[1])
    for share in (0.2, 0.5, 0.9, 0.99, 1.0):
        threshold = float(np.quantile(values, share))
        expected = server_mask(values, threshold, spacing, 64.0)
        findings = prepared.findings(threshold)
        np.testing.assert_array_equal(findings.mask(), expected)
        assert findings.volume_ml == pytest.approx(expected.sum() * np.prod(spacing) / 1000, abs=6e-4 * len(findings.lesions))
    assert findings.lesions == () and not findings.mask().any()
    assert prepared.peak == values.max()


def test_lesion_can_be_left_out_of_the_mask():
    values = lump()
    findings = ours.AnomalyMap(values, np.eye(4)).findings(float(np.quantile(values, 0.9)))
    assert len(findings.lesions) > 3
    whole, without = findings.mask(), findings.mask(without={1, 3})
    left_out = findings.lesions[0].volume_ml + findings.lesions[2].volume_ml
    assert (whole - without).sum() / 1000 == pytest.approx(left_out, abs=1e-3) and (whole >= without).all()
    assert not findings.mask(without={lesion.number for lesion in findings.lesions}).any()


def test_header_of_single_precision_changes_no_mask():
    """64 mm³ are 125 voxels of 0.8 mm exactly; a NIfTI file says 0.80000001 or 0.79999999."""
    values = np.zeros((9, 9, 9), np.float32)
    values[2:7, 2:7, 2:7] = 1
    for side in (0.8, np.float32(0.8), np.nextafter(np.float32(0.8), np.float32(0))):
        spacing = (float(side),) * 3
        assert ours.AnomalyMap(values, as_image(values, spacing)[1]).findings(0.5).mask().sum() == 125
        assert server_mask(values, 0.5, spacing, 64.0).sum() == 125


def test_empty_map_and_wrong_ones():
    nothing = ours.AnomalyMap(np.zeros((4, 5, 6), np.float32), np.eye(4))
    assert nothing.findings(0.0).lesions == () and nothing.findings(0.1).mask().shape == (4, 5, 6) and nothing.peak == 0
    undefined = ours.AnomalyMap(np.full((4, 5, 6), np.nan, np.float32), np.eye(4))
    assert undefined.findings(0.1).lesions == ()
    with pytest.raises(ValueError, match="volume"):
        ours.AnomalyMap(np.zeros((4, 5)), np.eye(4))
    with pytest.raises(ValueError, match="different grids"):
        ours.AnomalyMap(np.zeros((4, 5, 6)), np.eye(4), np.zeros((4, 5, 7)))
    with pytest.raises(ValueError, match="from 0.1"):
        ours.AnomalyMap(np.zeros((4, 5, 6)), np.eye(4), lowest=0.1).findings(0.05)
