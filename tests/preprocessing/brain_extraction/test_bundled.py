"""The bundled network, on heads it was not trained on."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.labelled_heads import filled_brain
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction import bundled_mask, mask_ml
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.reading import read_scan, same_grid
from umaddpm_core.resources import BRAIN_EXTRACTOR


def dice(mask, reference):
    mask, reference = sitk.GetArrayFromImage(mask) > 0, sitk.GetArrayFromImage(reference) > 0
    return 2 * np.count_nonzero(mask & reference) / (np.count_nonzero(mask) + np.count_nonzero(reference))


def test_it_is_small():
    assert BRAIN_EXTRACTOR.stat().st_size <= 6e6
    assert Artefact.load(BRAIN_EXTRACTOR).method == "brain_extractor"


def test_the_orientation_of_the_file_does_not_matter(sample):
    image = read_scan(sample).image
    turned = sitk.Flip(sitk.PermuteAxes(image, [2, 0, 1]), [True, False, True])
    straight, back = bundled_mask(image), sitk.DICOMOrient(bundled_mask(turned), "LPS")
    assert same_grid(bundled_mask(turned), turned)
    assert dice(sitk.DICOMOrient(straight, "LPS"), back) > 0.99


def test_the_tumour_stays_in_the_brain(sample, sample_truth):
    mask = sitk.GetArrayFromImage(bundled_mask(read_scan(sample).image)) > 0
    tumour = sitk.GetArrayFromImage(sample_truth) > 0
    assert mask[tumour].mean() > 0.99


def test_noise_never_passes_for_a_brain(sample):
    """Whatever the network answers, the registration finds no likeness."""
    image = read_scan(sample).image
    noise = sitk.AdditiveGaussianNoise(image * 0, standardDeviation=10.0, seed=1)
    with pytest.raises(InputError, match="No brain was found|does not resemble one"):
        Preprocessor().prepare(noise)


@pytest.mark.data
@pytest.mark.parametrize(
    "modality, scan, bound",
    [("T1", "IXI252-HH-1693", 0.96), ("T1", "IXI132-HH-1415", 0.97), ("T2", "IXI132-HH-1415", 0.95), ("T2", "IXI174-HH-1571", 0.95)],
)
def test_it_agrees_with_labels(modality, scan, bound, real_data):
    labels = sitk.ReadImage(str(real_data / f"ixi/labels/{scan}-DLMUSE.nii.gz"))
    reference = filled_brain(labels, sitk.GetArrayFromImage(labels) > 0)
    assert dice(bundled_mask(read_scan(real_data / f"ixi/{modality}/{scan}-{modality}.nii.gz").image), reference) > bound


@pytest.mark.data
@pytest.mark.parametrize("scan", ["T1", "T2", "FLAIR"])
def test_oblique_thick_slices_with_a_tumour(scan, real_data):
    """The glioma that was drawn by hand stays in; the volume is that of a brain."""
    image = read_scan(real_data / f"brainix/{scan}.nii.gz").image
    mask = bundled_mask(image)
    tumour = sitk.ReadImage(str(real_data / "brainix/seg_on_FLAIR.nii.gz"), sitk.sitkFloat32)
    tumour = sitk.GetArrayFromImage(sitk.Resample(tumour, image, sitk.Transform(), sitk.sitkLinear, 0.0)) >= 0.5
    assert (sitk.GetArrayFromImage(mask) > 0)[tumour].mean() > 0.98
    assert 1100 < mask_ml(mask) < 1900
