"""Random numbers that belong to a sample."""

import pytest
import torch

from umaddpm_core.diffusion.draws import Draws


def test_a_sample_has_the_same_numbers_in_any_batch():
    whole, part = Draws.of(3, torch.arange(64), step=5), Draws.of(3, torch.arange(10, 20), step=5)
    for _ in range(3):
        assert torch.equal(whole.uniform(7)[10:20], part.uniform(7))
    assert torch.equal(whole.shared().normal(4), part.shared().normal(4)), "what the batch shares depends on the step only"


def test_seed_sample_turn_and_step_all_count():
    draws = Draws.of(1, torch.arange(2))
    first, second = draws.uniform(50), draws.uniform(50)
    others = [first[1:], second[:1], Draws.of(2, torch.arange(1)).uniform(50), Draws.of(1, torch.arange(1)).shared().uniform(50)]
    assert all((first[:1] - other).abs().max() > 0.1 for other in others)
    steps = [Draws.of(1, torch.arange(1), step).shared().uniform(50) for step in (0, 1)]
    assert (steps[0] - steps[1]).abs().max() > 0.1


def test_the_numbers_are_uniform_normal_and_independent():
    draws = Draws.of(0, torch.arange(200))
    uniform = draws.uniform(5000)
    assert 0 <= uniform.min() and uniform.max() < 1
    assert uniform.mean().item() == pytest.approx(0.5, abs=2e-3) and uniform.var().item() == pytest.approx(1 / 12, abs=1e-3)
    correlation = torch.corrcoef(uniform)
    assert correlation.fill_diagonal_(0).abs().max() < 0.08
    normal = draws.normal(5000)
    assert normal.mean().abs() < 5e-3 and normal.std().item() == pytest.approx(1, abs=5e-3)
    assert (normal.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=3e-3)


def test_integers_include_both_ends():
    values, counts = Draws.of(0, torch.arange(100)).integers(-2, 3, 600).unique(return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3] and counts.min() > 0.95 * counts.max()
