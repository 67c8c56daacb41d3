"""`umaddpm train-contrast` and `umaddpm synthesise-t2`: T2 for people of whom there is only a T1."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_contrast(
    cache: Annotated[Path, typer.Option(help="Array cache of people with T1 and T2, made by `umaddpm preprocess`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file.")],
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 2500,
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
) -> None:
    """Train the network that makes T2 of T1, on the training people who have both."""
    import torch

    from umaddpm_core import __version__
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.data.contrast import METHOD, pairs
    from umaddpm_core.training.contrast import train_contrast as run

    stored = ArrayCache(cache)
    with progress_bar("Contrast") as advance:
        network = run(stored, steps=steps, seed=seed, progress=lambda n, loss: advance(n / steps, f"loss {loss:.3f}"))
    provenance = {
        "cohort": stored.cohort,
        "prepared_with": stored.fingerprints,
        "subjects": [subject for subject, _, _ in pairs(stored, "training")],
        "steps": steps,
        "seed": seed,
        "package_version": __version__,
    }
    artefact = Artefact(METHOD, {}, network.state_dict(), ["T1", "T2"], provenance=provenance, preprocessing=stored.settings)
    typer.echo(f"Wrote {artefact.save(output, torch.float16)}; check it with `benchmarks/contrast.py`.")


def synthesise_t2(
    cache: Annotated[Path, typer.Option(help="Array cache; the synthetic scans are added to it.")],
    model: Annotated[Path | None, typer.Option(help="Translator; by default the shipped one.")] = None,
) -> None:
    """Give every training person without a T2 a synthetic one, labelled as such. Validation and test people get none."""
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.data.contrast import load_translator
    from umaddpm_core.data.contrast import synthesise_t2 as run
    from umaddpm_core.resources import CONTRAST

    network = load_translator(Artefact.load(model or CONTRAST))
    with progress_bar("Synthetic T2") as advance:
        made = run(ArrayCache(cache), network, advance)
    typer.echo(f"{made} training people have a synthetic T2 now; models trained on them say so.")
