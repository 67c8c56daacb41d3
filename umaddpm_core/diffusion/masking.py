"""Dual masking: rectangles of a slice are replaced by a frequency-masked copy of it (training input only)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws

FrequencyMask = Literal["highpass", "random", "none"]

RECTANGLES = 5
"""At most so many rectangles a slice."""
LARGEST_SIDE = 0.18
"""Largest side of a rectangle over the number of rows that hold brain; the smallest is half of it."""
HALF_WIDTHS = (2, 10)
"""Half-width of the square of low frequencies, in pixels of the shifted spectrum, drawn between these."""


def dual_mask(
    x: Tensor, brain: Tensor, draws: Draws, frequency_mask: FrequencyMask = "highpass", rectangles: int = RECTANGLES
) -> Tensor:
    """X̃0 = X0⊙M_s + X_freq⊙(1-M_s): the slice with rectangles of its frequency-masked copy, inside the brain.

    Args:
        x: clean slices [B, 1, H, W] in [0, 1], zero outside the brain.
        brain: boolean masks of the same shape.
        frequency_mask: `highpass` removes low frequencies (UMA-DDPM), `random` low or high by a coin (mDDPM), `none`
            fills the rectangles with nothing.
        rectangles: at most so many a slice; 0 masks nothing.
    """
    masked = spatial_mask(brain, draws, rectangles) & brain
    if frequency_mask == "none":
        filling = torch.zeros_like(x)
    else:
        filling = frequency_masked(x, draws, coin=frequency_mask == "random")
    return torch.where(masked, filling, x)


def spatial_mask(brain: Tensor, draws: Draws, rectangles: int = RECTANGLES) -> Tensor:
    """Zero to so many rectangles per slice: boolean [B, 1, H, W], True where the slice is masked.

    Sides are 9–18 % of the rows that hold brain, positions lie within the rows and columns that do (mDDPM). A slice
    without brain gets none.
    """
    height, width = brain.shape[2:]
    device = brain.device
    first_row, rows = _span(brain.any(dim=3)[:, 0])
    first_column, columns = _span(brain.any(dim=2)[:, 0])
    largest = (LARGEST_SIDE * rows).floor().clamp_min(1)
    smallest = (largest / 2).floor().clamp_min(1)

    def uniform() -> Tensor:
        return draws.uniform(rectangles, 1, 1)

    def side() -> Tensor:
        return (smallest + uniform() * (largest - smallest + 1)).floor()

    side_y, side_x = side(), side()
    top = (first_row + 5 + uniform() * (rows - 10 - largest).clamp_min(1)).floor()
    left = (first_column + 5 + uniform() * (columns - 10 - largest).clamp_min(1)).floor()
    y = torch.arange(height, device=device).view(1, 1, -1, 1)
    x = torch.arange(width, device=device).view(1, 1, 1, -1)
    count = draws.integers(0, rectangles, 1, 1, 1)
    used = torch.arange(rectangles, device=device).view(1, -1, 1, 1) < count
    inside = used & (rows > 10) & (y >= top) & (y < top + side_y) & (x >= left) & (x < left + side_x)
    return inside.any(dim=1, keepdim=True)


def frequency_masked(x: Tensor, draws: Draws, coin: bool = False) -> Tensor:
    """Slices [B, 1, H, W] without the square of low frequencies around the origin; with `coin`, or with it alone."""
    height, width = x.shape[2:]
    half = draws.integers(*HALF_WIDTHS, 1, 1, 1)
    y = (torch.arange(height, device=x.device) - height // 2).view(1, 1, -1, 1)
    z = (torch.arange(width, device=x.device) - width // 2).view(1, 1, 1, -1)
    kept = ~((y >= -half) & (y < half) & (z >= -half) & (z < half))
    if coin:
        kept = kept ^ draws.flips(1, 1, 1)
    spectrum = torch.fft.fftshift(torch.fft.fft2(x.float()), dim=(-2, -1))
    return torch.fft.ifft2(torch.fft.ifftshift(spectrum * kept, dim=(-2, -1))).real.to(x.dtype)


def _span(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First occupied index and length of the occupied range of [B, N], as float [B, 1, 1, 1]."""
    length = occupied.shape[1]
    index = torch.arange(length, device=occupied.device)
    first = torch.where(occupied, index, length).amin(1)
    last = torch.where(occupied, index, -1).amax(1)
    span = (last - first + 1).clamp_min(0)
    return first.float().view(-1, 1, 1, 1), span.float().view(-1, 1, 1, 1)
