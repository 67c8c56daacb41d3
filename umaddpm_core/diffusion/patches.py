"""The grid of patches that are noised and repainted one at a time."""

from __future__ import annotations

import torch
from torch import Tensor


def patch_masks(height: int, width: int, grid: int = 2, overlap: int = 0, device: torch.device | None = None) -> Tensor:
    """Boolean masks [grid², 1, height, width] of a regular grid, row by row.

    Args:
        grid: patches per side (pDDPM: 2, of 48 × 48 pixels).
        overlap: pixels by which every patch is larger on each side, within the slice.
    """
    rows, columns = (_bands(side, grid, overlap, device) for side in (height, width))
    return (rows[:, None, :, None] & columns[None, :, None, :]).flatten(0, 1).unsqueeze(1)


def noise_patch(clean: Tensor, noised: Tensor, patch: Tensor) -> Tensor:
    """Eq. 2: the noised image inside the patch (M_patch = 1), the clean one outside."""
    return torch.where(patch, noised, clean)


def _bands(side: int, grid: int, overlap: int, device: torch.device | None) -> Tensor:
    """Boolean [grid, side]: which indices a patch of each row (or column) of the grid covers."""
    index = torch.arange(side, device=device)
    first = torch.tensor([-(-side * number // grid) for number in range(grid + 1)], device=device)
    return (index >= first[:-1, None] - overlap) & (index < first[1:, None] + overlap)
