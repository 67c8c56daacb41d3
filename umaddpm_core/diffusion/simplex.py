"""Fractal simplex noise, drawn for whole batches at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws

OCTAVES = 6
PERSISTENCE = 0.8
FEATURE_SIZE = 64.0
LINEAGE_STD = 0.59
"""Standard deviation of the noise in AnoDDPM, pDDPM and mDDPM, which is not one; kept, because it sets what a time
step means."""

_SKEW = (math.sqrt(3) - 1) / 2
_UNSKEW = (3 - math.sqrt(3)) / 6
_FRACTAL_STD = math.sqrt(sum(PERSISTENCE ** (2 * octave) for octave in range(OCTAVES)))
_OCTAVE_STD = 0.54
"""Standard deviation of one octave of `_simplex`, measured over 10^7 points."""


def simplex_noise(draws: Draws, height: int, width: int, *, standardise: bool = False) -> Tensor:
    """Noise images [B, 1, height, width], each with its own permutation and offset.

    Six octaves of 2-D simplex noise (Perlin 2001; gradients on the unit circle) with persistence 0.8 and feature sizes
    64 … 2 pixels (AnoDDPM). The random offset of every octave removes the ancestors' fixed zero in the top-left corner.

    Args:
        standardise: scale to standard deviation 1 instead of the ancestors' 0.59.
    """
    device = draws.device
    permutation = torch.argsort(draws.uniform(256), dim=1)
    offset = draws.uniform(OCTAVES, 2, 1, 1, high=256.0)
    rows = torch.arange(height, device=device, dtype=torch.float).view(1, height, 1)
    columns = torch.arange(width, device=device, dtype=torch.float).view(1, 1, width)
    noise = torch.zeros(len(offset), height, width, device=device)
    for octave in range(OCTAVES):
        scale = 2**octave / FEATURE_SIZE
        y, x = offset[:, octave].unbind(1)
        noise += PERSISTENCE**octave * _simplex(rows * scale + y, columns * scale + x, permutation)
    return noise.unsqueeze(1) * ((1.0 if standardise else LINEAGE_STD) / (_OCTAVE_STD * _FRACTAL_STD))


def _simplex(y: Tensor, x: Tensor, permutation: Tensor) -> Tensor:
    """2-D simplex noise at points y, x [B, H, W] with one permutation [B, 256] of the lattice per image."""
    x, y = torch.broadcast_tensors(x, y)
    skewed = (x + y) * _SKEW
    i, j = torch.floor(x + skewed), torch.floor(y + skewed)
    unskewed = (i + j) * _UNSKEW
    x0, y0 = x - i + unskewed, y - j + unskewed
    lower = (x0 > y0).to(x.dtype)
    total = torch.zeros_like(x0)
    for di, dj in ((0.0, 0.0), (lower, 1 - lower), (1.0, 1.0)):
        dx = x0 - di + (di + dj) * _UNSKEW
        dy = y0 - dj + (di + dj) * _UNSKEW
        angle = _hash(i + di, j + dj, permutation) * (2 * math.pi / 256)
        falloff = (0.5 - dx * dx - dy * dy).clamp_min(0) ** 4
        total += falloff * (torch.cos(angle) * dx + torch.sin(angle) * dy)
    return total * 99.2


def _hash(i: Tensor, j: Tensor, permutation: Tensor) -> Tensor:
    """A number in 0…255 for every lattice point."""
    batch = permutation.shape[0]
    inner = permutation.gather(1, (j.long() & 255).reshape(batch, -1))
    return permutation.gather(1, (i.long().reshape(batch, -1) + inner) & 255).view(i.shape)
