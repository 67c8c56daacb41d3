"""Repainting a volume slice by slice, which all methods but the slice-sequential one do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from umaddpm_core.methods.base import Progress, check_cancelled
from umaddpm_core.methods.batches import SLICES_AT_ONCE, in_batches

Pass = Callable[[Tensor, Tensor], Tensor]
"""Slices [B, 1, H, W] in [0, 1] and their numbers [B] in the volume to the slices as if they were healthy."""


def slice_by_slice(
    volume: Tensor, passes: Sequence[Pass], progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Tensor:
    """The volume [1, H, W, S] repainted by every pass, and averaged over them, in [0, 1]; empty slices stay empty.

    Raises:
        Cancelled: `cancelled()` was true between two batches.
        torch.OutOfMemoryError: the device does not even hold one slice.
    """
    slices = volume.permute(3, 0, 1, 2)
    occupied = slices.flatten(1).any(dim=1).nonzero()[:, 0]
    repainted = torch.zeros_like(slices)
    at_once, done = SLICES_AT_ONCE, 0
    for one in passes:

        def work(numbers: Tensor, one: Pass = one) -> None:
            nonlocal done
            check_cancelled(cancelled)
            repainted[numbers] += one(slices[numbers], numbers)
            done += len(numbers)
            if progress:
                progress(done / (len(passes) * len(occupied)))

        at_once = in_batches(occupied, work, at_once)
    return (repainted / len(passes)).clamp(0, 1).permute(1, 2, 3, 0)
