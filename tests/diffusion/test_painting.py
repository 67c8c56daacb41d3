"""Painted abnormalities."""

import torch

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.painting import painted


def slices(count=200):
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    brain = (((y - 48) / 35.0) ** 2 + ((x - 48) / 40.0) ** 2 < 1).expand(count, 1, 96, 96)
    return 0.5 * brain, brain


def test_paints_the_share_that_is_asked_for_inside_the_brain_only():
    x, brain = slices()
    changed = painted(x, brain, Draws.of(0, torch.arange(200)), 0.6)
    assert torch.equal(changed[~brain], x[~brain]) and changed[brain].min() >= 1 / 255 and changed.max() <= 1
    share = ((changed - x).abs() > 0.02).flatten(1).any(1).float().mean()
    assert 0.5 < share < 0.68
    assert torch.equal(painted(x, brain, Draws.of(0, torch.arange(200)), 0.0), x)


def test_shapes_are_dark_and_bright_small_and_large():
    x, brain = slices(400)
    change = painted(x, brain, Draws.of(1, torch.arange(400)), 1.0) - x
    sums = change.flatten(1).sum(1)
    assert 0.3 < (sums > 0).float().mean() < 0.7
    area = (change.abs() > 0.03).flatten(1).sum(1)
    assert (area < 150).any() and (area > 1500).any()


def test_leaves_a_slice_without_brain_alone():
    x = torch.zeros(3, 1, 96, 96)
    assert torch.equal(painted(x, x > 0, Draws.of(0, torch.arange(3)), 1.0), x)
