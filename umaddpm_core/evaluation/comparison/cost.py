"""What a method costs on this machine."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from umaddpm_core.methods import Method

SLICES = 50
"""Slices of the scan whose time is taken: the paper's."""


def cost(method: Method, volume: Tensor) -> dict[str, float]:
    """What a scan of 50 slices costs on one core of this machine.

    Returns:
        `parameters`; `gflop` of a scan (torch's counter, 2 a multiply-add); `seconds`; `peak_gib` of this process, which should
        be one of its own.
    """
    depth = volume.shape[-1]
    scan = volume[..., (depth - min(depth, SLICES)) // 2 :][..., :SLICES]
    with FlopCounterMode(display=False) as counter:
        method.reconstruct(scan[..., scan.shape[-1] // 2 :][..., :1])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    started = time.perf_counter()
    method.reconstruct(scan)
    seconds = time.perf_counter() - started
    torch.set_num_threads(threads)
    return {
        "parameters": sum(parameter.numel() for parameter in method.parameters()),
        "gflop": counter.get_total_flops() * scan.shape[-1] / 1e9,
        "seconds": seconds,
        "peak_gib": peak_bytes() / 2**30,
    }


def peak_bytes() -> int:
    """The most memory that this process has had. Linux says it in `/proc`; `getrusage` there counts the parent's too."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
