"""The selective state-space model Mamba (Gu and Dao 2023), with the parameters of `mamba_ssm.Mamba`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from umaddpm_core.networks.selective_scan import Backend, selective_scan


class Mamba(nn.Module):
    """One Mamba layer over a sequence [B, L, C]; same shape out.

    Two branches: linear, causal depth-wise convolution, SiLU and the selective scan; and linear, SiLU. Their product
    goes through a linear layer; `backend` says what computes the scan. Names and shapes of the parameters are those of
    `mamba_ssm.Mamba`, so weights interchange with the fused CUDA implementation.
    """

    def __init__(self, d_model: int, d_state: int = 16, d_conv: int = 4, expand: int = 2, backend: Backend = "auto") -> None:
        super().__init__()
        self.backend = backend
        self.d_state = d_state
        self.d_inner = expand * d_model
        self.dt_rank = math.ceil(d_model / 16)
        self.in_proj = nn.Linear(d_model, 2 * self.d_inner, bias=False)
        self.conv1d = nn.Conv1d(self.d_inner, self.d_inner, d_conv, groups=self.d_inner, padding=d_conv - 1)
        self.x_proj = nn.Linear(self.d_inner, self.dt_rank + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(self.dt_rank, self.d_inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, d_state + 1)).repeat(self.d_inner, 1))
        self.D = nn.Parameter(torch.ones(self.d_inner))
        self.out_proj = nn.Linear(self.d_inner, d_model, bias=False)
        self._init_time_step()

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        u, z = self.in_proj(x).chunk(2, dim=-1)
        u = F.silu(self.conv1d(u.transpose(1, 2))[..., :length].transpose(1, 2))
        dt, B, C = self.x_proj(u).split([self.dt_rank, self.d_state, self.d_state], dim=-1)
        delta = F.softplus(self.dt_proj(dt).float())
        y = selective_scan(u, delta, -torch.exp(self.A_log.float()), B, C, self.D, self.backend)
        return self.out_proj(y.to(z.dtype) * F.silu(z))

    def _init_time_step(self, smallest: float = 1e-3, largest: float = 0.1, floor: float = 1e-4) -> None:
        """Step sizes log-uniform between `smallest` and `largest` at the start, as in the reference implementation."""
        nn.init.uniform_(self.dt_proj.weight, -self.dt_rank**-0.5, self.dt_rank**-0.5)
        dt = torch.exp(torch.rand(self.d_inner) * math.log(largest / smallest) + math.log(smallest)).clamp_min(floor)
        with torch.no_grad():
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))
