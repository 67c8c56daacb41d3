"""The dual-domain loss."""

import torch

from umaddpm_core.losses import amplitude, dual_domain_loss


def test_is_zero_for_a_perfect_reconstruction():
    x = torch.rand(2, 1, 96, 96)
    losses = dual_domain_loss(x, x, amplitude(x))
    assert all(value.item() < 1e-5 for value in losses.values())


def test_weights_the_two_domains():
    x, y = torch.rand(2, 1, 96, 96), torch.rand(2, 1, 96, 96)
    losses = dual_domain_loss(x, y, amplitude(y), alpha=2.0, beta=3.0)
    assert torch.isclose(losses["loss"], 2 * losses["frequency"] + 3 * losses["pixel"])


def test_amplitude_keeps_the_energy_and_centres_the_mean():
    x = torch.rand(1, 1, 96, 96)
    assert torch.isclose(amplitude(x).square().sum(), x.square().sum(), rtol=1e-4)
    assert amplitude(x).flatten().argmax() == 48 * 96 + 48


def test_gradients_are_finite_where_the_spectrum_vanishes():
    x = torch.zeros(1, 1, 96, 96)
    y = torch.zeros(1, 1, 96, 96, requires_grad=True)
    a = torch.zeros(1, 1, 96, 96, requires_grad=True)
    dual_domain_loss(x, y, a)["loss"].backward()
    assert torch.isfinite(y.grad).all() and torch.isfinite(a.grad).all()
