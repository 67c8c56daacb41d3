"""The selective scan: against its definition, in float32 and bfloat16, and the choice of what computes it."""

import sys
from types import ModuleType

import pytest
import torch

from umaddpm_core.errors import InputError
from umaddpm_core.networks import selective_scan as module
from umaddpm_core.networks.mamba import Mamba
from umaddpm_core.networks.selective_scan import KERNEL, selective_scan


def by_definition(u, delta, A, B, C, D):
    """h_i = exp(Δ_i A) h_{i-1} + Δ_i B_i u_i, y_i = C_i h_i + D u_i, left to autograd."""
    h, y = torch.zeros(u.shape[0], *A.shape, dtype=u.dtype), []
    for i in range(u.shape[1]):
        h = torch.exp(delta[:, i, :, None] * A) * h + (delta[:, i] * u[:, i])[..., None] * B[:, i, None]
        y.append((h * C[:, i, None]).sum(-1) + D * u[:, i])
    return torch.stack(y, 1)


def arguments(dtype, length=40, inner=6, state=4):
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    tensors = (
        random(2, length, inner), random(2, length, inner).sigmoid(), -random(inner, state).exp(),
        random(2, length, state), random(2, length, state), random(inner),
    )  # fmt: skip
    return [tensor.to(dtype).requires_grad_() for tensor in tensors]


def agree(ours, theirs, tolerance, expected):
    y = selective_scan(*ours)
    weight = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    (y * weight).sum().backward()
    reference = expected(*theirs)
    (reference * weight).sum().backward()
    assert torch.allclose(y, reference, atol=tolerance)
    for mine, other in zip(ours, theirs):
        assert torch.allclose(mine.grad, other.grad, atol=tolerance, rtol=tolerance)


def test_is_the_recurrence_forward_and_backward():
    agree(arguments(torch.float64), arguments(torch.float64), 1e-10, by_definition)
    agree(arguments(torch.float32), arguments(torch.float32), 1e-5, by_definition)


def test_the_gradient_is_that_of_finite_differences():
    small = arguments(torch.float64, length=5, inner=2, state=2)
    assert torch.autograd.gradcheck(selective_scan, small)


def test_the_state_stays_in_float32_under_autocast():
    u, delta, A, B, C, D = arguments(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = selective_scan(u.bfloat16(), delta, A, B.bfloat16(), C.bfloat16(), D)
    exact = selective_scan(u.bfloat16().float(), delta, A, B.bfloat16().float(), C.bfloat16().float(), D)
    assert y.dtype == torch.float32 and torch.equal(y, exact)


def test_an_empty_sequence_is_answered():
    u, delta, A, B, C, D = arguments(torch.float32, length=0)
    assert selective_scan(u, delta, A, B, C, D).shape == (2, 0, 6)


@pytest.fixture
def kernel(monkeypatch):
    """A double of mamba-ssm's fused scan, which needs CUDA: its signature and layout, computed by the definition."""

    def selective_scan_fn(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False, return_last_state=False):
        assert u.shape[1] == A.shape[0] and B.shape[1] == A.shape[1] and B.shape[2] == u.shape[2], "channels before positions"
        assert all(tensor.dtype == torch.float32 and tensor.is_contiguous() for tensor in (u, delta, B, C))
        u, delta, B, C = (tensor.transpose(1, 2) for tensor in (u, delta, B, C))
        return by_definition(u, delta, A, B, C, D).transpose(1, 2)

    double = ModuleType(KERNEL)
    double.selective_scan_fn = selective_scan_fn
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, KERNEL, double)
    return double


def test_the_kernel_is_handed_its_own_layout_and_agrees(kernel, monkeypatch):
    monkeypatch.setattr(module, "use_kernel", lambda backend, u: True)
    agree(arguments(torch.float32), arguments(torch.float32), 1e-5, by_definition)


def test_the_kernel_is_not_taken_on_a_processor_and_a_demand_is_refused_in_a_sentence(kernel):
    u = torch.zeros(1, 2, 3)
    assert not module.use_kernel("auto", u) and not module.use_kernel("torch", u)
    with pytest.raises(InputError, match="needs a GPU"):
        module.use_kernel("cuda", u)


def test_a_demanded_kernel_that_is_not_installed_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    with pytest.raises(InputError, match="needs the package mamba-ssm"):
        Mamba(16, backend="cuda")(torch.zeros(1, 4, 16))
