"""Every method in a small configuration, and a volume for it."""

from __future__ import annotations

import torch
from torch import Tensor

NETWORK = {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4}
CONFIGS = {
    "uma_ddpm": {"network": NETWORK, "draws": 2},
    "mddpm": {"network": NETWORK},
    "pddpm": {"network": NETWORK},
    "ddpm": {"network": NETWORK},
    "anoddpm": {"network": NETWORK, "t_test": 20, "stride": 7},
    "dae": {"base": 8},
    "svae": {"base": 8, "latent": 16},
    "vae": {"base": 8, "latent": 16},
    "fanogan": {"base": 8, "latent": 16, "critic_steps": 1},
    "intensity": {},
}


def volume(depth: int = 7) -> tuple[Tensor, Tensor]:
    """Noise in a box, [1, 96, 96, depth], and where it is; the first slice is empty."""
    generator = torch.Generator().manual_seed(0)
    scan = torch.rand(1, 96, 96, depth, generator=generator).clamp_min(1 / 255)
    brain = torch.zeros_like(scan, dtype=torch.bool)
    brain[:, 16:80, 10:86, 1:] = True
    return scan * brain, brain
