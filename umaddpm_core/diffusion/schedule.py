"""How much of the image is left at each time step, and the way back one step at a time."""

from __future__ import annotations

from typing import Literal

import torch
from monai.networks.schedulers import NoiseSchedules
from torch import Tensor, nn

STEPS = 1000


class NoiseSchedule(nn.Module):
    """A noise schedule of T = 1000 steps (MONAI's).

    cosine: of Nichol and Dhariwal; ᾱ_t falls from 1 to 0, and at index 499 image and noise weigh the same (0.703 and 0.711).
    linear: of Ho et al., β from 1e-4 to 0.02; there that is so at index 260.
    """

    def __init__(self, kind: Literal["cosine", "linear"]) -> None:
        super().__init__()
        arguments = {} if kind == "cosine" else {"beta_start": 1e-4, "beta_end": 2e-2}
        alphas_cumprod = NoiseSchedules["cosine" if kind == "cosine" else "linear_beta"](STEPS, **arguments)
        alphas_cumprod = alphas_cumprod[2] if kind == "cosine" else torch.cumprod(1 - alphas_cumprod.double(), dim=0)
        self.register_buffer("alphas_cumprod", alphas_cumprod.float(), persistent=False)

    def add_noise(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t = √ᾱ_t x + √(1-ᾱ_t) η (eq. 1) for x and noise [B, 1, H, W] and t [B]."""
        kept = self.alphas_cumprod[t].to(x.dtype).view(-1, 1, 1, 1)
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def clean_of(self, x_t: Tensor, noise: Tensor, t: int) -> Tensor:
        """The x that `add_noise` made x_t of, clipped to [-1, 1]."""
        kept = self.alphas_cumprod[t]
        return ((x_t - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)

    def step_back(self, x_t: Tensor, clean: Tensor, fresh: Tensor, t: int, earlier: int) -> Tensor:
        """A draw of x at an earlier step, given x_t and a guess of x (the ancestral step; Ho et al., eqs. 6 and 7).

        Args:
            x_t, clean, fresh: [B, 1, H, W]; fresh noise is not used where `earlier` is -1, which means x itself.
            t, earlier: time steps; with steps between them left out, the step of Nichol and Dhariwal's respaced process.
        """
        if earlier < 0:
            return clean
        kept, kept_earlier = self.alphas_cumprod[t], self.alphas_cumprod[earlier]
        alpha = kept / kept_earlier
        mean = kept_earlier.sqrt() * (1 - alpha) / (1 - kept) * clean + alpha.sqrt() * (1 - kept_earlier) / (1 - kept) * x_t
        return mean + ((1 - alpha) * (1 - kept_earlier) / (1 - kept)).sqrt() * fresh
