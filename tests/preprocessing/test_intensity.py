"""Shading, scale and denoising."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.intensity import Window, bias_field
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.settings import PreprocessingSettings


@pytest.fixture(scope="module")
def scan(small_scan):
    image = read_scan(small_scan).image
    return image, brain_mask(image)[0]


def shaded(image, strength=0.4):
    """The image under a smooth field that falls from front to back."""
    voxels = sitk.GetArrayFromImage(image)
    ramp = np.exp(strength * np.linspace(-1, 1, voxels.shape[1]))[None, :, None]
    result = sitk.GetImageFromArray((voxels * ramp).astype(np.float32))
    result.CopyInformation(image)
    return result, np.broadcast_to(ramp, voxels.shape)


def test_the_field_that_was_laid_over_a_scan_is_found(scan):
    image, brain = scan
    inside = sitk.GetArrayFromImage(brain) > 0
    dark, ramp = shaded(image)
    before, after = (np.log(sitk.GetArrayFromImage(bias_field(one, brain))[inside]) for one in (image, dark))
    truth = np.log(ramp[inside])
    left = (after - before) - (truth - np.median(truth))
    assert np.corrcoef(after - before, truth)[0, 1] > 0.95
    assert left.std() < 0.3 * truth.std()


def test_the_field_leaves_the_scale_of_the_scan(scan):
    field = sitk.GetArrayFromImage(bias_field(*scan))[sitk.GetArrayFromImage(scan[1]) > 0]
    assert np.median(field) == pytest.approx(1, abs=1e-3)


def test_a_scan_around_zero_has_no_field(scan):
    image, brain = scan
    inside = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(brain) > 0]
    assert bias_field((image - float(inside.mean())) / float(inside.std()), brain) is None


def test_shading_hardly_changes_what_the_model_sees(scan):
    image, brain = scan
    inside = sitk.GetArrayFromImage(brain) > 0

    def seen(scan, correction):
        prepared = Preprocessor(PreprocessingSettings(bias_correction=correction)).prepare(scan, brain)
        return sitk.GetArrayFromImage(prepared.restore(prepared.volume))[inside]

    change = {on: np.abs(seen(image, on) - seen(shaded(image)[0], on)).mean() for on in (True, False)}
    assert change[True] < 0.5 * change[False]


def test_the_reconstruction_comes_back_in_the_scans_own_shading(scan):
    """A reconstruction that is 0.1 brighter everywhere is brighter on the scan by 0.1 of its window times the shading."""
    image, brain = scan
    prepared = Preprocessor().prepare(shaded(image)[0], brain)
    brighter = sitk.GetArrayFromImage(prepared.restore_reconstruction(prepared.volume + 0.1))
    core = sitk.GetArrayFromImage(sitk.BinaryErode(brain, [3] * 3)) > 0
    added = (brighter - sitk.GetArrayFromImage(prepared.scan))[core]
    expected = 0.1 * prepared.window.width * sitk.GetArrayFromImage(prepared.bias)[core]
    assert np.allclose(added, expected, rtol=0.02)


def test_a_window_is_undone():
    volume = torch.linspace(10, 50, 1000).reshape(1, 10, 10, 10)
    brain = torch.ones_like(volume, dtype=torch.bool)
    window = Window.of(volume, brain)
    inside = (volume > window.low + 1) & (volume < window.high - 1)
    assert torch.allclose(window.undo(window.apply(volume, brain))[inside], volume[inside], atol=1e-3)


def test_curvature_flow_smooths(scan):
    image, brain = scan
    smooth = Preprocessor(PreprocessingSettings(curvature_flow=True)).prepare(image, brain)
    plain = Preprocessor().prepare(image, brain)
    assert smooth.volume.diff(dim=1).abs().mean() < plain.volume.diff(dim=1).abs().mean()


def test_the_papers_coverage_is_the_central_fifty_slices(scan):
    image, brain = scan
    whole = Preprocessor().prepare(image, brain)
    paper = Preprocessor(PreprocessingSettings(coverage="paper")).prepare(image, brain)
    first = (whole.volume.shape[-1] - 50) // 2
    assert paper.volume.shape == (1, 96, 96, 50)
    assert (paper.volume - whole.volume[..., first : first + 50]).abs().mean() < 0.02
