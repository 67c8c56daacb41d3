"""Schedule, noise and patches."""

import pytest
import torch

from umaddpm_core.diffusion.patches import noise_patch, patch_masks
from umaddpm_core.diffusion.schedule import CosineSchedule
from umaddpm_core.diffusion.simplex import LINEAGE_STD, simplex_noise


@pytest.mark.parametrize(("t", "image", "noise"), [(99, 0.986, 0.167), (249, 0.920, 0.391), (499, 0.703, 0.711), (749, 0.380, 0.925)])
def test_the_schedule_has_the_weights_of_the_lineage(t, image, noise):
    one, zero = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    schedule = CosineSchedule()
    assert schedule.add_noise(one, zero, torch.tensor([t])).mean().item() == pytest.approx(image, abs=1e-3)
    assert schedule.add_noise(zero, one, torch.tensor([t])).mean().item() == pytest.approx(noise, abs=1e-3)


def test_noise_has_the_deviation_of_the_lineage_and_no_dead_corner():
    noise = simplex_noise(200, 96, 96, torch.Generator().manual_seed(0))
    assert noise.shape == (200, 1, 96, 96)
    assert noise.std().item() == pytest.approx(LINEAGE_STD, abs=0.03)
    assert abs(noise.mean().item()) < 0.03
    assert noise[:, 0, 0, 0].std().item() == pytest.approx(LINEAGE_STD, abs=0.12)


def test_noise_is_smooth_seeded_and_new_for_every_image():
    first, again = (simplex_noise(2, 96, 96, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again) and not torch.allclose(first[0], first[1])
    spectrum = torch.fft.fft2(first[:, 0]).abs().square().mean(0)
    low = spectrum[:11, :11].sum() + spectrum[-10:, :11].sum() + spectrum[:11, -10:].sum() + spectrum[-10:, -10:].sum()
    assert low / spectrum.sum() > 0.7


def test_standardised_noise_has_unit_deviation():
    assert simplex_noise(200, 96, 96, torch.Generator().manual_seed(0), standardise=True).std().item() == pytest.approx(1, abs=0.05)


def test_patches_tile_the_slice():
    masks = patch_masks(96, 96, 2)
    assert masks.shape == (4, 1, 96, 96) and (masks.sum(0) == 1).all()
    assert masks[0, 0, :48, :48].all() and masks[1, 0, :48, 48:].all()


def test_only_the_patch_is_noised():
    clean, noised, patch = torch.zeros(1, 1, 96, 96), torch.ones(1, 1, 96, 96), patch_masks(96, 96, 2)[2]
    assert torch.equal(noise_patch(clean, noised, patch)[0] == 1, patch)
