"""Abnormal-looking shapes painted into training slices, for the network to repaint (our addition to the paper)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws

RADII = (3.0, 24.0)
"""Radius of a shape in pixels, log-uniform."""
SHAPES = 2
"""At most so many shapes a slice."""
SHIFTS = (0.04, 0.5)
"""Size of an additive change of intensity."""
OPACITIES = (0.3, 1.0)
"""How far a covering shape replaces what lies under it."""
EDGES = (0.6, 3.0)
"""Width of a shape's edge in eighths of its radius."""
WAVES = ((6, 0.22), (14, 0.10))
"""Outlines vary with so many waves across the slice, by these shares of the radius."""


def painted(x: Tensor, brain: Tensor, draws: Draws, share: float) -> Tensor:
    """Slices in which irregular shapes are darker, brighter, flatter or hollow.

    Args:
        x: clean slices [B, 1, H, W] in [0, 1], zero outside the brain.
        brain: boolean masks of the same shape; nothing is painted outside them, nor into slices without brain.
        share: of the slices that get one or two shapes, 0–1.

    Returns:
        [B, 1, H, W] in [0, 1]. Half of the shapes shift the intensities, so that the anatomy under them stays visible; the
        others blend them with one grey value. A third of all are hollow: the inside is changed less than the rim, not at
        all, or the other way.

    Restoring synthetic corruptions instead of noise alone is the idea of DISYRE (Naval Marimont et al. 2023) and of the
    denoising autoencoders before it. Outlines, intensities and edges follow other rules than the lesions that thresholds
    are calibrated on and results are reported for (`data.synthetic_lesions`).
    """
    def uniform(low: float = 0.0, high: float = 1.0) -> Tensor:
        return draws.uniform(1, 1, 1, low=low, high=high)

    chosen = uniform() < share
    result = x
    for number in range(SHAPES):
        here = chosen & (uniform() < 0.5) if number else chosen
        distance = _distance(brain, draws) / torch.exp(uniform(*map(math.log, RADII)))
        softness = uniform(*EDGES) / 8
        weight = torch.sigmoid((1 - distance) / softness)
        core = torch.sigmoid((uniform(0.4, 0.8) - distance) / softness)
        hollow = uniform() < 1 / 3
        weight = torch.where(hollow, weight - core * uniform(0.4, 1.6), weight)
        sign = torch.where(uniform() < 0.5, -1.0, 1.0)
        shifted = result + sign * weight * torch.exp(uniform(*map(math.log, SHIFTS)))
        covered = result + weight.clamp_min(0) * uniform(*OPACITIES) * (uniform() - result)
        change = torch.where(uniform() < 0.5, shifted, covered)
        result = torch.where(here & brain, change.clamp(1 / 255, 1), result)
    return result


def _distance(brain: Tensor, draws: Draws) -> Tensor:
    """Distance in pixels [B, 1, H, W] to a random point of every slice's brain, stretched and made wavy."""
    height, width = brain.shape[2:]
    row, column = _place(brain, draws)
    y = torch.arange(height, device=brain.device).view(1, 1, -1, 1) - row
    x = torch.arange(width, device=brain.device).view(1, 1, 1, -1) - column
    angle = draws.uniform(1, 1, 1, high=math.pi)
    stretch = torch.exp(draws.uniform(1, 1, 1, low=-0.45, high=0.45))
    along, across = torch.cos(angle) * x + torch.sin(angle) * y, torch.cos(angle) * y - torch.sin(angle) * x
    waves = sum(size * F.interpolate(draws.normal(1, n, n), (height, width), mode="bicubic") for n, size in WAVES)
    return torch.sqrt((along * stretch) ** 2 + (across / stretch) ** 2) * (1 + waves).clamp_min(0.2)


def _place(brain: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Row and column [B, 1, 1, 1] of a random pixel of every slice's brain; of the first pixel where there is none."""
    rank = brain.flatten(1).cumsum(1)
    wanted = 1 + (draws.uniform(1) * rank[:, -1:]).floor()
    index = (rank >= wanted).long().argmax(dim=1)
    width = brain.shape[3]
    return tuple(part.view(-1, 1, 1, 1).float() for part in (index // width, index % width))
