"""Repainting a volume slice by slice, which all methods but the slice-sequential one do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from umaddpm_core.methods.base import Progress, check_cancelled

SLICES_AT_ONCE = 16

Pass = Callable[[Tensor, Tensor], Tensor]
"""Slices [B, 1, H, W] in [0, 1] and their numbers [B] in the volume to the slices as if they were healthy."""


def slice_by_slice(
    volume: Tensor, passes: Sequence[Pass], progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Tensor:
    """The volume [1, H, W, S] repainted by every pass, and averaged over them, in [0, 1]; empty slices stay empty.

    Raises:
        Cancelled: `cancelled()` was true between two batches.
    """
    slices = volume.permute(3, 0, 1, 2)
    occupied = slices.flatten(1).any(dim=1).nonzero()[:, 0]
    repainted = torch.zeros_like(slices)
    steps = [(one, numbers) for one in passes for numbers in occupied.split(SLICES_AT_ONCE)]
    for done, (one, numbers) in enumerate(steps, 1):
        check_cancelled(cancelled)
        repainted[numbers] += one(slices[numbers], numbers)
        if progress:
            progress(done / len(steps))
    return (repainted / len(passes)).clamp(0, 1).permute(1, 2, 3, 0)
