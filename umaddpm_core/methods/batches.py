"""Work on many slices in batches as large as the memory of the device allows."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

SLICES_AT_ONCE = 16

logger = logging.getLogger(__name__)


def in_batches(numbers: Tensor, work: Callable[[Tensor], None], at_once: int = SLICES_AT_ONCE) -> int:
    """Hand all `numbers` [N] to `work`, so many at once; where the device has too little memory, half as many, and so on.

    Args:
        work: what it does for a number must not depend on which others come along, and is done again where it failed.

    Returns:
        How many went at once in the end, for whatever comes next.

    Raises:
        torch.OutOfMemoryError: there is too little for a single one.
    """
    while len(numbers):
        batch = numbers[:at_once]
        if _fits(work, batch):
            numbers = numbers[len(batch) :]
        else:
            at_once = len(batch) // 2
            if numbers.is_cuda:
                torch.cuda.empty_cache()
            logger.warning("The memory of %s does not hold %d slices at once; trying %d.", numbers.device, len(batch), at_once)
    return at_once


def _fits(work: Callable[[Tensor], None], batch: Tensor) -> bool:
    """Whether the work could be done. What a failure leaves behind is let go of when this returns."""
    try:
        work(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
        return False
    return True
