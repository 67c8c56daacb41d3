"""The noise of the diffusion process."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.simplex import simplex_noise

Noise = Literal["simplex", "gaussian"]


def noise_images(kind: Noise, draws: Draws, height: int, width: int, *, shared: bool = False, standardise: bool = False) -> Tensor:
    """Noise [B, 1, height, width].

    Args:
        kind: `simplex` (the lineage of UMA-DDPM) or `gaussian`, white and of standard deviation 1.
        shared: one image for the whole batch, as in the ancestors' code, instead of one for each sample.
        standardise: simplex noise of standard deviation 1 instead of the ancestors' 0.59.
    """
    source = draws.shared() if shared else draws
    if kind == "gaussian":
        noise = source.normal(1, height, width)
    else:
        noise = simplex_noise(source, height, width, standardise=standardise)
    return noise.expand(len(draws.keys), -1, -1, -1)
