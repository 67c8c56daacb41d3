"""The selective state-space layer against its definition."""

import torch

from umaddpm_core.networks.mamba import Mamba, selective_scan


def by_definition(u, delta, A, B, C, D):
    """h_i = exp(Δ_i A) h_{i-1} + Δ_i B_i u_i, y_i = C_i h_i + D u_i, one scalar at a time."""
    batch, length, inner = u.shape
    y = torch.zeros_like(u)
    for b in range(batch):
        for e in range(inner):
            h = torch.zeros(A.shape[1], dtype=u.dtype)
            for i in range(length):
                h = torch.exp(delta[b, i, e] * A[e]) * h + delta[b, i, e] * B[b, i] * u[b, i, e]
                y[b, i, e] = C[b, i] @ h + D[e] * u[b, i, e]
    return y


def arguments():
    torch.manual_seed(0)
    u, delta = torch.randn(2, 9, 3), torch.rand(2, 9, 3)
    A, B, C, D = -torch.rand(3, 4), torch.randn(2, 9, 4), torch.randn(2, 9, 4), torch.randn(3)
    return [tensor.double().requires_grad_() for tensor in (u, delta, A, B, C, D)]


def test_scan_is_the_recurrence_forward_and_backward():
    ours, theirs = arguments(), arguments()
    y, expected = selective_scan(*ours), by_definition(*theirs)
    assert torch.allclose(y, expected, atol=1e-10)
    weight = torch.randn_like(y)
    (y * weight).sum().backward()
    (expected * weight).sum().backward()
    for mine, reference in zip(ours, theirs):
        assert torch.allclose(mine.grad, reference.grad, atol=1e-9)


def test_parameters_are_those_of_mamba_ssm():
    shapes = {name: tuple(parameter.shape) for name, parameter in Mamba(64).named_parameters()}
    assert shapes == {
        "A_log": (128, 16),
        "D": (128,),
        "in_proj.weight": (256, 64),
        "conv1d.weight": (128, 1, 4),
        "conv1d.bias": (128,),
        "x_proj.weight": (36, 128),
        "dt_proj.weight": (128, 4),
        "dt_proj.bias": (128,),
        "out_proj.weight": (64, 128),
    }


def test_looks_only_back():
    layer, x = Mamba(16).eval(), torch.randn(1, 10, 16)
    changed = x.clone()
    changed[:, 6:] += 1
    assert torch.allclose(layer(x)[:, :6], layer(changed)[:, :6], atol=1e-6)
    assert not torch.allclose(layer(x)[:, 6:], layer(changed)[:, 6:])
