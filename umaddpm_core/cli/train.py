"""`umaddpm train`: array cache to model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of a shipped configuration.")],
    cache: Annotated[Path, typer.Option(help="Array cache made by `umaddpm preprocess`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for checkpoints and model.safetensors.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps, instead of the configured number.")] = None,
    start: Annotated[
        Path | None, typer.Option(help="Model file to start from instead of random weights; named again when the run goes on.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the output folder.")] = True,
) -> None:
    """Train a method on healthy scans."""
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.training.config import find_config
    from umaddpm_core.training.engine import train as run

    settings = find_config(config)
    if steps is not None:
        settings = settings.model_copy(update={"steps": steps})
    output.mkdir(parents=True, exist_ok=True)
    run(settings, ArrayCache(cache), output, start=Artefact.load(start) if start else None, resume=resume)
    typer.echo(f"Wrote {output / 'model.safetensors'}; calibrate it with `umaddpm calibrate` before use.")
