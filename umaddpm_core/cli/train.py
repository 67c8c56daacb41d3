"""`umaddpm train`: array cache to model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    experiment: Annotated[str, typer.Argument(help="T1, T2, unified, an ablation row, a method such as vae, or a YAML file of your own.")],
    cache: Annotated[Path, typer.Option(help="Array cache made by `umaddpm preprocess`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoints and model.safetensors.")],
    preset: Annotated[str | None, typer.Option(help="compact, for a CPU, or paper, for a GPU; by default what the file says.")] = None,
    modality: Annotated[list[str] | None, typer.Option(help="Sequences, instead of the experiment's; may be repeated.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps, instead of the configured number.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of all random numbers, instead of the configured one.")] = None,
    start: Annotated[
        Path | None, typer.Option(help="Model file to start from instead of random weights; named again when the run goes on.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the output folder.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train a method on healthy scans; several GPUs or machines with torchrun.

    With eight GPUs: torchrun --nproc-per-node 8 -m umaddpm_core.cli train unified --preset paper --cache cache -o run
    """
    import logging
    import os
    import warnings

    from umaddpm_core.artefact import Artefact
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.errors import InputError
    from umaddpm_core.training.config import find_config
    from umaddpm_core.training.engine import train as run

    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"There is no device {device!r}; give auto, cpu or cuda.")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")  # of things it does itself
    given = {"modalities": modality, "steps": steps, "seed": seed}
    settings = find_config(experiment, preset, **{name: value for name, value in given.items() if value is not None})
    output.mkdir(parents=True, exist_ok=True)
    run(settings, ArrayCache(cache), output, start=Artefact.load(start) if start else None, resume=resume, device=device)
    if os.environ.get("RANK", "0") == "0":  # of the processes that torchrun started, one speaks
        typer.echo(f"Wrote {output / 'model.safetensors'}; calibrate it with `umaddpm calibrate` before use.")
