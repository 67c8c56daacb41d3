"""Refuses a scan for which there is not enough memory, while only its header has been read."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod

from umaddpm_core.errors import NeverFits, OutOfMemory
from umaddpm_core.preprocessing.available_memory import MemoryState
from umaddpm_core.sizes import gigabytes, size_setting

MEMORY_VARIABLE = "UMADDPM_MEMORY"
"""Environment variable with the memory that the program may take, instead of what machine and container allow."""

FIXED_BYTES = 800_000_000
BYTES_A_VOXEL = 45
"""`benchmarks/memory.py` measured 0.6–0.8 GB and 32–36 bytes a voxel, between 1 and 83 million voxels."""
PROGRAM_BYTES = 1_000_000_000
"""What a server with its model takes before it sees a scan."""
RESERVE_BYTES = 200_000_000
"""Left alone, for whatever else the computer does."""

_one_at_a_time = threading.Lock()
_promised: dict[object, int] = {}
_examination: ContextVar[object | None] = ContextVar("examination", default=None)


def needed_bytes(voxels: int) -> int:
    """Memory that a detection takes for a scan of so many voxels, beside what the program has already."""
    return FIXED_BYTES + BYTES_A_VOXEL * voxels


def memory_state() -> MemoryState:
    """What there is, and what of it is free.

    Raises:
        InputError: the environment names something that is no size.
    """
    limit = size_setting(os.environ, MEMORY_VARIABLE)
    return MemoryState.now() if limit is None else MemoryState.within(limit)


@contextmanager
def examination() -> Iterator[None]:
    """Within this block, and in this thread alone, memory that was found free is kept for the scan that is examined."""
    own = object()
    token = _examination.set(own)
    try:
        yield
    finally:
        _examination.reset(token)
        with _one_at_a_time:
            _promised.pop(own, None)


def require_memory(size: Sequence[int], name: str) -> None:
    """Make sure that a scan can be examined.

    Args:
        size: voxels along each axis.
        name: of the scan, for the sentence.

    Raises:
        NeverFits: it needs more than there is, whatever else is running.
        OutOfMemory: it needs more than is free now.
    """
    needed = needed_bytes(prod(size))
    with _one_at_a_time:
        own, state = _examination.get(), memory_state()
        promised = sum(size for examination, size in _promised.items() if examination is not own)
        free = max(0, state.available - RESERVE_BYTES - promised)
        if needed > max(0, most := state.total - PROGRAM_BYTES - RESERVE_BYTES):
            raise NeverFits(_sentence(name, size, needed, f"has {gigabytes(max(0, most))} for one; resample it to larger voxels."))
        if needed > free:
            raise OutOfMemory(_sentence(name, size, needed, f"has {gigabytes(free)} free now; try again later."))
        if own is not None:
            _promised[own] = needed


def _sentence(name: str, size: Sequence[int], needed: int, rest: str) -> str:
    grid = " × ".join(map(str, size))
    return f"{name} has {grid} voxels, for which {gigabytes(needed)} of memory are needed, and this computer {rest}"
