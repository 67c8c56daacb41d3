"""The grid of patches that are noised and repainted one at a time."""

from __future__ import annotations

import torch
from torch import Tensor


def patch_masks(height: int, width: int, grid: int = 2, device: torch.device | None = None) -> Tensor:
    """Boolean masks [grid², 1, height, width] of a regular grid without overlap, row by row."""
    rows = torch.arange(height, device=device) * grid // height
    columns = torch.arange(width, device=device) * grid // width
    number = rows[:, None] * grid + columns[None, :]
    return (number[None] == torch.arange(grid * grid, device=device)[:, None, None]).unsqueeze(1)


def noise_patch(clean: Tensor, noised: Tensor, patch: Tensor) -> Tensor:
    """Eq. 2: the noised image inside the patch (M_patch = 1), the clean one outside."""
    return torch.where(patch, noised, clean)
