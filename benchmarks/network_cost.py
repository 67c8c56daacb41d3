"""What the network of a preset costs: parameters, operations, and seconds for a whole brain on this machine.

    python benchmarks/network_cost.py

The `paper` preset's first ablation row is the public U-Net of pDDPM and mDDPM, with 37.5 million parameters. One pass of 8 slices
is timed five times, and the median taken; a scan has 75 slices of 4 patches. Writes `docs/results/network_cost.json`.
"""

from __future__ import annotations

import os
import platform
import statistics
import time

import torch
from common import RESULTS
from torch.utils.flop_counter import FlopCounterMode

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection.models import find_model
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import build, from_artefact
from umaddpm_core.methods.base import Method
from umaddpm_core.training.config import find_config

SLICES, PATCHES, BATCH, TIMES = 75, 4, 8, 5


@torch.inference_mode()
def cost(method: Method, draws: int) -> dict[str, float]:
    """Parameters in millions, GFLOP and seconds a pass of one slice, and seconds a scan."""
    x, t = torch.rand(BATCH, 1, 96, 96), torch.full((BATCH,), 300)
    with FlopCounterMode(display=False) as counter:
        method.predict(x[:1], t[:1])
    seconds = []
    for _ in range(TIMES + 1):
        started = time.perf_counter()
        method.predict(x, t)
        seconds.append(time.perf_counter() - started)
    each = statistics.median(seconds[1:]) / BATCH
    return {
        "parameters": sum(parameter.numel() for parameter in method.parameters()) / 1e6,
        "gflop": counter.get_total_flops() / 1e9,
        "seconds_per_pass": each,
        "passes": SLICES * PATCHES * draws,
        "seconds_per_scan": each * SLICES * PATCHES * draws,
    }


def main() -> None:
    deployed = from_artefact(Artefact.load(find_model(None)))
    paper = find_config("ablation_mask", "paper")
    presets = [
        {"preset": "`compact`, as deployed", **cost(deployed, deployed.config.draws * len(deployed.config.t_test))},
        {"preset": "`paper`, mask only (public U-Net)", **cost(build(paper.method, paper.method_config).eval(), 1)},
    ]
    ratio = presets[1]["seconds_per_scan"] / presets[0]["seconds_per_scan"]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads"
    write_json(RESULTS / "network_cost.json", {"machine": machine, "presets": presets, "ratio": ratio})
    for entry in presets:
        print(", ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{value}" for key, value in entry.items()))
    print(f"{machine}; ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
