"""The selective scan of Mamba: a PyTorch loop for every device, and the fused CUDA kernel where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from umaddpm_core.errors import InputError

Backend = Literal["auto", "cuda", "torch"]
KERNEL = "mamba_ssm.ops.selective_scan_interface"
"""Where the optional extra `mamba-ssm` keeps its fused scan."""


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, backend: Backend = "auto"
) -> Tensor:
    """h_i = exp(Δ_i A) h_{i-1} + Δ_i B_i u_i and y_i = C_i·h_i + D u_i, from h_0 = 0 (Gu and Dao 2023, algorithm 2).

    Args:
        u, delta: inputs and step sizes [B, L, E].
        A: state decay [E, N], negative.  B, C: input and output weights [B, L, N].  D: skip weights [E].
        backend: `cuda` for the fused kernel of `mamba-ssm`, `torch` for the loop, `auto` for the kernel where it can be used.

    Returns:
        [B, L, E] in float32: state and sums are kept in float32 whatever autocast says; double stays double.

    Raises:
        InputError: `cuda` is demanded, and the package or the GPU is missing.
    """
    double = u.dtype == torch.float64
    u, delta, A, B, C, D = (tensor if double else tensor.float() for tensor in (u, delta, A, B, C, D))
    with torch.autocast(u.device.type, enabled=False):
        if use_kernel(backend, u):
            scan = import_module(KERNEL).selective_scan_fn
            transposed = (tensor.transpose(1, 2).contiguous() for tensor in (u, delta, B, C))
            u_t, delta_t, B_t, C_t = transposed
            return scan(u_t, delta_t, A, B_t, C_t, D).transpose(1, 2)
        return _Scan.apply(u, delta, A, B, C) + D * u


def use_kernel(backend: Backend, u: Tensor) -> bool:
    """Whether the fused kernel computes a scan over `u`.

    Raises:
        InputError: it is demanded and cannot.
    """
    if backend == "torch" or (backend == "auto" and not u.is_cuda):
        return False
    try:
        import_module(KERNEL)
    except (ImportError, RuntimeError, NameError) as error:
        if backend == "cuda":
            raise InputError("The CUDA scan needs the package mamba-ssm, built for this GPU; the backend torch needs neither.") from error
        return False
    if not u.is_cuda:
        raise InputError("The CUDA scan needs a GPU; use the backend torch here.")
    return True


class _Scan(torch.autograd.Function):
    """The recurrence without the skip, step by step in both directions.

    One step's state [B, E, N] stays in the processor's cache, which is what makes the loop fast: whole-sequence tensors of
    exp(Δ A) and Δ B u would have to pass through memory some twenty times.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
        length = u.shape[1]
        states = u.new_empty(length, u.shape[0], u.shape[2], A.shape[1])
        y = u.new_empty(length, u.shape[0], u.shape[2], 1)
        drive = (delta * u).transpose(0, 1).contiguous().unsqueeze(-1)
        weights = B.transpose(0, 1).contiguous().unsqueeze(2)
        outputs = C.transpose(0, 1).contiguous().unsqueeze(-1)
        steps = delta.transpose(0, 1).contiguous().unsqueeze(-1)
        state = torch.zeros_like(states[0]) if length else None
        for i in range(length):
            here = states[i]
            torch.mul(drive[i], weights[i], out=here)
            state = here.addcmul_(torch.exp_(steps[i] * A), state)
            torch.bmm(state, outputs[i], out=y[i])
        ctx.save_for_backward(u, delta, A, B, C, states)
        return y.squeeze(-1).transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        u, delta, A, B, C, states = ctx.saved_tensors
        u, delta, grad = (tensor.transpose(0, 1).contiguous().unsqueeze(-1) for tensor in (u, delta, grad))
        B, C = (tensor.transpose(0, 1).contiguous().unsqueeze(2) for tensor in (B, C))
        grad_u, grad_delta, grad_A = torch.empty_like(u), torch.empty_like(delta), torch.zeros_like(states[0])
        grad_B, grad_C = torch.empty_like(B), torch.empty_like(C)
        carried = torch.zeros_like(states[0])
        for i in reversed(range(len(states))):
            through = torch.addcmul(carried, grad[i], C[i])
            torch.bmm(grad[i].transpose(1, 2), states[i], out=grad_C[i])
            decay = torch.exp_(delta[i] * A)
            carried = through * decay
            into = torch.bmm(through, B[i].transpose(1, 2))
            torch.bmm((delta[i] * u[i]).transpose(1, 2), through, out=grad_B[i])
            torch.mul(into, delta[i], out=grad_u[i])
            torch.mul(into, u[i], out=grad_delta[i])
            if i:
                exponent = carried * states[i - 1]
                grad_A.addcmul_(exponent, delta[i])
                grad_delta[i] += exponent.mul_(A).sum(-1, keepdim=True)
        flat = (tensor.squeeze(-1).transpose(0, 1) for tensor in (grad_u, grad_delta))
        grad_u, grad_delta = flat
        return grad_u, grad_delta, grad_A.sum(0), grad_B.squeeze(2).transpose(0, 1), grad_C.squeeze(2).transpose(0, 1)
