"""Dual masking."""

import torch

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.masking import dual_mask, frequency_masked, spatial_mask


def draws(count):
    return Draws.of(0, torch.arange(count))


def brains(count=400):
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    brain = ((y - 48) / 35.0) ** 2 + ((x - 48) / 40.0) ** 2 < 1
    return brain.expand(count, 1, 96, 96)


def test_masks_as_much_as_mddpm():
    brain = brains()
    masked = spatial_mask(brain, draws(len(brain)))
    share = (masked & brain).flatten(1).sum(1) / brain.flatten(1).sum(1)
    assert 0.04 < share.mean() < 0.075
    assert 0.12 < (share == 0).float().mean() < 0.22


def test_leaves_a_slice_without_brain_alone():
    x = torch.zeros(3, 1, 96, 96)
    assert torch.equal(dual_mask(x, x > 0, draws(len(x))), x)


def test_changes_only_the_brain_and_not_the_original():
    brain = brains(8)
    x = torch.rand(8, 1, 96, 96) * brain
    kept = x.clone()
    masked = dual_mask(x, brain, draws(len(x)))
    assert torch.equal(x, kept) and not torch.equal(masked, x)
    assert torch.equal(masked[~brain], x[~brain])


def test_the_high_pass_removes_the_mean_and_the_coin_sometimes_keeps_it():
    x = torch.rand(64, 1, 96, 96)
    assert frequency_masked(x, draws(len(x))).mean((1, 2, 3)).abs().max() < 1e-5
    means = frequency_masked(x, draws(len(x)), coin=True).mean((1, 2, 3))
    kept = (means - x.mean((1, 2, 3))).abs() < 1e-4
    assert 0.3 < kept.float().mean() < 0.7


def test_no_rectangles_mask_nothing():
    x = torch.rand(4, 1, 96, 96)
    assert torch.equal(dual_mask(x, x > 0, draws(4), rectangles=0), x)
