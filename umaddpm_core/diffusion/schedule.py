"""How much of the image is left at each time step."""

from __future__ import annotations

import torch
from monai.networks.schedulers import NoiseSchedules
from torch import Tensor, nn

STEPS = 1000


class CosineSchedule(nn.Module):
    """Cosine noise schedule of Nichol and Dhariwal with T = 1000 steps (MONAI's).

    ᾱ_t falls from 1 to 0; at index 499 image and noise weigh the same (0.703 and 0.711).
    """

    def __init__(self) -> None:
        super().__init__()
        alphas_cumprod = NoiseSchedules["cosine"](STEPS)[2]
        self.register_buffer("alphas_cumprod", alphas_cumprod.float(), persistent=False)

    def add_noise(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t = √ᾱ_t x + √(1-ᾱ_t) η (eq. 1) for x and noise [B, 1, H, W] and t [B]."""
        kept = self.alphas_cumprod[t].to(x.dtype).view(-1, 1, 1, 1)
        return kept.sqrt() * x + (1 - kept).sqrt() * noise
