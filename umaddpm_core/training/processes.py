"""A training run in several processes of this computer, one for each GPU, started by `torchrun`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.replacing import replacing
from umaddpm_core.methods import METHODS
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.engine import train

TOLD = "told: "
"""Begins the lines by which the processes tell how they go."""


def processes_for(config: TrainingConfig) -> int:
    """One for each GPU, or as many fewer as can share the batch; one without a GPU."""
    window = METHODS[config.method].window
    return max(count for count in range(1, max(torch.cuda.device_count(), 1) + 1) if count == 1 or config.batch % (count * window) == 0)


def train_in_processes(
    count: int, config: TrainingConfig, cache: ArrayCache, output: Path, *, start: Path | None, every: int, told: Callable[[int, float], None]
) -> Artefact:
    """As `engine.train` without a progress bar; `start` is a model file.

    Raises:
        InputError: what `train` raises, of one process.
        RuntimeError: one of several processes failed; what they wrote is on standard output.
    """
    if count == 1:
        return train(config, cache, output, start=Artefact.load(start) if start else None, quiet=True, every=every, told=told)
    output.mkdir(parents=True, exist_ok=True)
    order = {"config": config.model_dump(mode="json"), "cache": str(cache.folder.resolve()), "start": str(start) if start else None, "every": every}
    with replacing(output / "order.json") as temporary:
        temporary.write_text(json.dumps(order))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), "-m", __spec__.name, str(output)]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout:
            if line.startswith(TOLD):
                told(*json.loads(line.removeprefix(TOLD)))
            else:
                print(line, end="", flush=True)
    if running.returncode:
        raise RuntimeError(f"The {count} processes of the training ended with status {running.returncode}.")
    return Artefact.load(output / "model.safetensors")


def _one_of_them(output: Path) -> None:
    order: dict[str, Any] = json.loads((output / "order.json").read_text())

    def told(step: int, loss: float) -> None:
        print(f"{TOLD}{json.dumps([step, loss])}", flush=True)

    train(
        TrainingConfig(**order["config"]),
        ArrayCache(order["cache"]),
        output,
        start=Artefact.load(order["start"]) if order["start"] else None,
        quiet=True,
        every=order["every"],
        told=told if os.environ["RANK"] == "0" else None,
    )


if __name__ == "__main__":
    _one_of_them(Path(sys.argv[1]))
