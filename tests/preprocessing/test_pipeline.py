"""To the grid and back."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction import brain_mask, stripped_mask
from umaddpm_core.preprocessing.grid import to_image
from umaddpm_core.preprocessing.intensity import LOWEST_INSIDE
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.reading import read_scan, same_grid


def overlap(a, b):
    a, b = (sitk.GetArrayFromImage(image) > 0 for image in (a, b))
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture(scope="module")
def prepared(sample):
    return Preprocessor().prepare(sample)


def test_the_grid_is_that_of_the_design(prepared):
    volume = prepared.volume
    assert volume.shape[:3] == (1, 96, 96) and 60 <= volume.shape[3] <= 80
    assert prepared.grid.GetSpacing() == (2.0, 2.0, 2.0)
    assert prepared.grid.GetDirection() == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    assert volume[prepared.brain].min() >= LOWEST_INSIDE and volume.max() <= 1
    assert not volume[~prepared.brain].any()


def test_the_whole_brain_is_on_the_grid(prepared):
    assert overlap(prepared.restore_mask(prepared.brain), prepared.scan_brain) > 0.97


def test_the_brain_is_centred(prepared):
    for axis in (1, 2):
        occupied = prepared.brain.any(dim=3)[0].any(dim=2 - axis).nonzero()
        middle = (occupied.min() + occupied.max()) / 2
        assert abs(middle.item() - 47.5) <= 1


def test_results_come_back_on_the_scans_own_grid(prepared):
    for image in (
        prepared.restore(prepared.volume),
        prepared.restore_mask(prepared.brain),
        prepared.restore_reconstruction(prepared.volume),
        prepared.restore_model_output(prepared.volume),
    ):
        assert same_grid(image, prepared.scan)


def test_a_perfect_reconstruction_is_the_scan_itself(prepared):
    back = sitk.GetArrayFromImage(prepared.restore_reconstruction(prepared.volume))
    assert np.array_equal(back, sitk.GetArrayFromImage(prepared.scan))


def test_the_model_output_is_in_the_scans_units_and_as_blurred_as_the_grid(prepared):
    output, scan, inside = (
        sitk.GetArrayFromImage(image).astype(float)
        for image in (prepared.restore_model_output(prepared.volume), prepared.scan, sitk.BinaryErode(prepared.scan_brain, [4] * 3))
    )
    core = inside > 0
    assert np.corrcoef(output[core], scan[core])[0, 1] > 0.9
    assert abs(np.median(output[core] / scan[core]) - 1) < 0.05
    assert not np.array_equal(output[core], scan[core]) and not output[sitk.GetArrayViewFromImage(prepared.scan_brain) == 0].any()


def test_a_region_comes_back_where_it_was(prepared, sample_truth):
    assert overlap(prepared.restore_mask(prepared.mask_to_grid(sample_truth)), sample_truth) > 0.93


def test_the_orientation_of_the_file_does_not_matter(small_scan):
    image = read_scan(small_scan).image
    straight = Preprocessor().prepare(image).volume
    turned = Preprocessor().prepare(sitk.Flip(sitk.PermuteAxes(image, [2, 0, 1]), [True, False, True])).volume
    assert straight.shape == turned.shape
    assert (straight - turned).abs().mean() < 0.01


def test_a_stripped_scan_is_used_as_it_is_and_a_head_is_stripped(sample, small_scan):
    assert stripped_mask(read_scan(sample).image) is None
    mask, way = brain_mask(read_scan(small_scan).image)
    assert way == "stripped"
    assert np.array_equal(sitk.GetArrayFromImage(mask) > 0, sitk.GetArrayFromImage(stripped_mask(read_scan(small_scan).image)) > 0)
    assert brain_mask(read_scan(sample).image)[1] == "bundled"


def test_a_stripped_scan_cut_to_its_brain_is_recognised(small_scan):
    """As the method's ancestors store theirs: hardly any background is left."""
    scan = read_scan(small_scan).image
    box = [np.flatnonzero(sitk.GetArrayFromImage(scan).any(axis=other)) for other in ((0, 1), (0, 2), (1, 2))]
    cut = sitk.RegionOfInterest(scan, [int(b[-1] - b[0] + 1) for b in box], [int(b[0]) for b in box])
    inside = sitk.GetArrayFromImage(cut) != 0
    mask = stripped_mask(cut)
    assert inside.mean() > 0.45 and mask is not None
    assert (sitk.GetArrayFromImage(mask) > 0)[inside].mean() > 0.99


def test_a_mask_of_fractions_is_cut_at_one_half(sample, prepared):
    blurred = sitk.SmoothingRecursiveGaussian(sitk.Cast(prepared.scan_brain, sitk.sitkFloat32), 2.0)
    mask = brain_mask(read_scan(sample).image, blurred)[0]
    assert overlap(mask, prepared.scan_brain) > 0.99
    assert overlap(mask, blurred > 1e-3) < 0.97


def test_a_given_mask_is_taken(sample, prepared):
    again = Preprocessor().prepare(sample, prepared.scan_brain)
    assert again.quality["brain_from"] == "given"
    assert torch.equal(again.brain, prepared.brain)


def test_a_mask_of_another_grid_is_refused(sample, small_scan, prepared):
    with pytest.raises(InputError, match="does not lie on the grid"):
        Preprocessor().prepare(small_scan, prepared.scan_brain)


def test_what_is_no_brain_is_refused():
    x, y, z = np.meshgrid(*[np.arange(100)] * 3, indexing="ij")
    ball = sitk.GetImageFromArray((((x - 50) ** 2 + (y - 50) ** 2 + (z - 50) ** 2) < 30**2).astype(np.float32))
    with pytest.raises(InputError, match="No brain was found"):
        Preprocessor().prepare(ball)


def test_tensors_and_images_keep_their_axes(prepared):
    point = torch.zeros_like(prepared.volume)
    point[0, 10, 20, 30] = 1
    image = to_image(point, prepared.grid)
    assert image[10, 20, 30] == 1


@pytest.mark.data
@pytest.mark.parametrize(
    "scan",
    [
        "ixi/T1/IXI252-HH-1693-T1.nii.gz",
        "brainix/T1.nii.gz",
        "lgg/TCGA_CS_4943_20000902/TCGA_CS_4943_20000902-T1.nii.gz",
        "lgg/TCGA_HT_7881_19981015/TCGA_HT_7881_19981015-T1.nii.gz",
        "brats/TCGA-DU-7294/TCGA-DU-7294-t1n.nii.gz",
        "mslub/patient07/patient07_T1W.nii.gz",
    ],
)
def test_real_scans_are_aligned_and_come_back(scan, real_data):
    prepared = Preprocessor().prepare(real_data / scan)
    assert prepared.quality["registration"] == ("recognised" if scan.startswith("brats") else "registered")
    assert prepared.quality["registration_overlap"] > (0.85 if scan.startswith("brats") else 0.9)
    assert prepared.quality["brain_from"] == ("stripped" if scan.startswith(("brats", "mslub")) else "bundled")
    assert overlap(prepared.restore_mask(prepared.brain), prepared.scan_brain) > 0.97
    assert same_grid(prepared.restore(prepared.volume), prepared.scan)
