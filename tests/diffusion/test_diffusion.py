"""Schedule, noise and patches."""

import pytest
import torch

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.noise import noise_images
from umaddpm_core.diffusion.patches import noise_patch, patch_masks
from umaddpm_core.diffusion.schedule import NoiseSchedule
from umaddpm_core.diffusion.simplex import LINEAGE_STD, simplex_noise


@pytest.mark.parametrize(("t", "image", "noise"), [(99, 0.986, 0.167), (249, 0.920, 0.391), (499, 0.703, 0.711), (749, 0.380, 0.925)])
def test_the_schedule_has_the_weights_of_the_lineage(t, image, noise):
    one, zero = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    schedule = NoiseSchedule("cosine")
    assert schedule.add_noise(one, zero, torch.tensor([t])).mean().item() == pytest.approx(image, abs=1e-3)
    assert schedule.add_noise(zero, one, torch.tensor([t])).mean().item() == pytest.approx(noise, abs=1e-3)


def test_noise_has_the_deviation_of_the_lineage_and_no_dead_corner():
    noise = simplex_noise(Draws.of(0, torch.arange(200)), 96, 96)
    assert noise.shape == (200, 1, 96, 96)
    assert noise.std().item() == pytest.approx(LINEAGE_STD, abs=0.03)
    assert abs(noise.mean().item()) < 0.03
    assert noise[:, 0, 0, 0].std().item() == pytest.approx(LINEAGE_STD, abs=0.12)


def test_noise_is_smooth_seeded_and_new_for_every_image():
    first, again = (simplex_noise(Draws.of(3, torch.arange(2)), 96, 96) for _ in range(2))
    assert torch.equal(first, again) and not torch.allclose(first[0], first[1])
    spectrum = torch.fft.fft2(first[:, 0]).abs().square().mean(0)
    low = spectrum[:11, :11].sum() + spectrum[-10:, :11].sum() + spectrum[:11, -10:].sum() + spectrum[-10:, -10:].sum()
    assert low / spectrum.sum() > 0.7


def test_standardised_noise_has_unit_deviation():
    assert simplex_noise(Draws.of(0, torch.arange(200)), 96, 96, standardise=True).std().item() == pytest.approx(1, abs=0.05)


def test_gaussian_noise_is_white_and_a_shared_image_is_one_for_all():
    draws = Draws.of(0, torch.arange(50))
    white = noise_images("gaussian", draws, 96, 96)
    assert white.std().item() == pytest.approx(1, abs=0.01)
    assert (white[:, 0, :, 1:] * white[:, 0, :, :-1]).mean().abs() < 0.01
    shared = noise_images("simplex", draws, 96, 96, shared=True)
    assert shared.shape == (50, 1, 96, 96) and torch.equal(shared[0], shared[49])


def test_patches_tile_the_slice():
    masks = patch_masks(96, 96, 2)
    assert masks.shape == (4, 1, 96, 96) and (masks.sum(0) == 1).all()
    assert masks[0, 0, :48, :48].all() and masks[1, 0, :48, 48:].all()


def test_overlapping_patches_are_larger_on_every_side_within_the_slice():
    masks = patch_masks(96, 96, 3, overlap=4)
    assert masks.shape == (9, 1, 96, 96) and masks.any(0).all()
    assert masks[0, 0].sum() == 36 * 36 and masks[4, 0].sum() == 40 * 40 and masks[4, 0, 28:68, 28:68].all()


def test_only_the_patch_is_noised():
    clean, noised, patch = torch.zeros(1, 1, 96, 96), torch.ones(1, 1, 96, 96), patch_masks(96, 96, 2)[2]
    assert torch.equal(noise_patch(clean, noised, patch)[0] == 1, patch)
