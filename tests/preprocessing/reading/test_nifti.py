"""NIfTI lies where its header says, and where nibabel says."""

import math

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan


def voxels(*shape):
    return np.random.default_rng(0).integers(0, 2000, shape or (24, 20, 22)).astype(np.int16)


def affine(turn=(0, 0, 0), spacing=(3.0, 3.5, 4.0), origin=(10, -20, 30)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing
    matrix[:3, 3] = origin
    return matrix


def write(path, sform, sform_code=1, qform=None, qform_code=0, data=None, unit="mm"):
    image = nib.Nifti1Image(voxels() if data is None else data, None)
    image.header.set_xyzt_units(unit)
    image.set_sform(sform, sform_code)
    image.set_qform(sform if qform is None else qform, qform_code, strip_shears=True)
    nib.save(image, path)
    return path


def assert_lies_as_nibabel_says(scan, path):
    image = nib.load(path)
    data = np.asanyarray(image.dataobj)
    for index in [(0, 0, 0), (5, 0, 3), *[tuple(side - 1 for side in image.shape)]]:
        expected = (image.affine @ (*index, 1))[:3] * (-1, -1, 1)
        assert np.allclose(scan.image.TransformIndexToPhysicalPoint(index), expected, atol=1e-3)
        assert scan.image[index] == np.float32(data[index])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turn=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(1.0, 7.0)] * 3),
    axes=st.permutations(range(3)),
    flips=st.tuples(*[st.sampled_from((-1, 1))] * 3),
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
    codes=st.sampled_from([(0, 1), (1, 0), (1, 1), (2, 1), (4, 1), (2, 0)]),
)
def test_any_grid_lies_where_nibabel_says(turn, spacing, axes, flips, origin, codes, tmp_path):
    matrix = affine(turn, spacing, origin)
    matrix[:3, :3] = matrix[:3, list(axes)] * flips
    sides = [math.ceil(61 / step) for step in np.linalg.norm(matrix[:3, :3], axis=0)]
    path = write(tmp_path / "any.nii", matrix, codes[0], qform_code=codes[1], data=voxels(*sides))
    scan = read_scan(path)
    assert_lies_as_nibabel_says(scan, path)
    assert scan.warnings == ()


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_the_sform_is_used_where_two_positions_disagree(code, tmp_path):
    path = write(tmp_path / "two.nii.gz", affine((0, 0, 5)), code, qform=affine(), qform_code=1)
    scan = read_scan(path)
    assert_lies_as_nibabel_says(scan, path)
    assert np.reshape(scan.image.GetDirection(), (3, 3))[1, 0] == pytest.approx(-math.sin(math.radians(5)), abs=1e-5)
    farthest = 2 * math.sin(math.radians(2.5)) * math.hypot(23 * 3, 19 * 3.5)
    assert scan.warnings == (
        f"two.nii.gz gives two positions, and its sform is used; the qform differs by up to {farthest:.1f} mm at the "
        "corners and 5.0°.",
    )


def test_the_qform_is_used_where_it_is_alone(tmp_path):
    path = write(tmp_path / "q.nii", affine((0, 0, 5)), 0, qform=affine((10, 0, 0)), qform_code=1)
    scan = read_scan(path)
    assert_lies_as_nibabel_says(scan, path)
    assert scan.warnings == ()


def test_a_file_without_orientation_is_read_with_a_warning(tmp_path):
    path = write(tmp_path / "none.nii", affine(), 0)
    scan = read_scan(path)
    assert_lies_as_nibabel_says(scan, path)
    assert "left and right" in scan.warnings[0]


def test_a_sheared_sform_is_refused(tmp_path):
    matrix = affine()
    matrix[0, 1] = 0.4
    with pytest.raises(InputError, match="sheared.nii is sheared: its axes are up to 6.5° from perpendicular"):
        read_scan(write(tmp_path / "sheared.nii", matrix))


@pytest.mark.parametrize(("unit", "factor"), [("micron", 1000.0), ("meter", 0.001)])
def test_other_units_of_length_are_millimetres_afterwards(unit, factor, tmp_path):
    matrix = affine() @ np.diag([factor, factor, factor, 1])
    assert read_scan(write(tmp_path / "unit.nii", matrix, unit=unit)).image.GetSpacing() == pytest.approx((3, 3.5, 4))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_intensities_are_scaled_as_the_header_says(kind, tmp_path):
    data = (voxels() % 200).astype(kind)
    # nibabel chooses factors of its own on writing, so they are set in the file.
    path = tmp_path / "factors.nii"
    nib.Nifti1Image(data, affine()).to_filename(path)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([2.5, -7], "<f4").tobytes()
    path.write_bytes(content)
    scaled = sitk.GetArrayFromImage(read_scan(path).image).T
    assert np.allclose(scaled, data * 2.5 - 7)


def test_negative_intensities_are_those_of_an_mr_scan(tmp_path):
    scan = read_scan(write(tmp_path / "negative.nii", affine(), data=(voxels() - 1000).clip(-60).astype(np.int16)))
    assert sitk.GetArrayViewFromImage(scan.image).min() == -60


def test_one_volume_of_four_dimensions_is_a_volume(tmp_path):
    path = write(tmp_path / "one.nii", affine(), data=voxels(24, 20, 22, 1))
    assert read_scan(path).image.GetSize() == (24, 20, 22)
