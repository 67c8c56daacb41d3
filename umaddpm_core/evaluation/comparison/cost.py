"""What a method costs on this machine."""

from __future__ import annotations

import os
import resource
import time

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from umaddpm_core.methods import Method

SLICES = 50
"""Slices of the scan whose time is taken: the paper's."""


def cost(method: Method, volume: Tensor) -> dict[str, float]:
    """What a scan of 50 slices costs on this machine's processor, all its cores.

    Returns:
        `parameters`; `gflop` of a scan (torch's counter, 2 a multiply-add); `seconds`; `peak_gib` of the process.
    """
    depth = volume.shape[-1]
    scan = volume[..., (depth - min(depth, SLICES)) // 2 :][..., :SLICES]
    with FlopCounterMode(display=False) as counter:
        method.reconstruct(scan[..., scan.shape[-1] // 2 :][..., :1])
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    method.reconstruct(scan)
    seconds = time.perf_counter() - started
    torch.set_num_threads(threads)
    return {
        "parameters": sum(parameter.numel() for parameter in method.parameters()),
        "gflop": counter.get_total_flops() * scan.shape[-1] / 1e9,
        "seconds": seconds,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
