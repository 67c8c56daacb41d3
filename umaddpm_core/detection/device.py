"""The processor that a model runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from umaddpm_core.errors import DeviceFull, InputError


def chosen_device(name: str | None) -> torch.device:
    """The device of this name; by default a GPU where there is one.

    Raises:
        InputError: there is none of this name.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {name!r} on this machine.") from error
    return device


@contextmanager
def memory_of(device: torch.device) -> Iterator[None]:
    """Say in one sentence that the memory of the device is used up.

    Raises:
        DeviceFull: it is, even for the smallest piece of the work.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceFull(f"{device} has too little free memory, even for one slice at a time; try again when less runs on it.") from error
