"""`umaddpm build-template` and `umaddpm train-brain-extractor`: how the shipped resources of the preprocessing are made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def build_template(
    folder: Annotated[Path, typer.Argument(help="IXI folder with sub-folders T1 and T2.")],
    atlas: Annotated[Path, typer.Option(help="SRI24 T1 without skull.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder; by default the package's resources.")] = None,
    most: Annotated[int, typer.Option(min=1, help="At most so many people.")] = 60,
) -> None:
    """Average the brains of the training split in SRI24 space."""
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cohorts import ixi, ixi_brain_labels, sequences_by_subject
    from umaddpm_core.data.splits import healthy_split
    from umaddpm_core.preprocessing.template import build_template as build
    from umaddpm_core.resources import FOLDER, TEMPLATE, TEMPLATE_BRAIN

    scans = ixi(folder)
    parts = healthy_split(sequences_by_subject(scans), ixi_brain_labels(folder))
    paths = [scan.path for scan in scans if scan.modality == "T1" and parts[scan.subject] == "training"][:most]
    target = output or FOLDER
    target.mkdir(parents=True, exist_ok=True)
    with progress_bar("Template") as advance:
        used = build(
            paths, atlas, target / TEMPLATE.name, target / TEMPLATE_BRAIN.name, lambda done: advance(done / len(paths))
        )
    typer.echo(f"Averaged {used} of {len(paths)} brains into {target / TEMPLATE.name}.")


def train_brain_extractor(
    folder: Annotated[Path, typer.Argument(help="IXI folder with sub-folders T1 and labels.")],
    label_maps: Annotated[Path, typer.Option(help="Folder of whole-head label maps.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Model file; by default the package's.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 700,
    seed: Annotated[int, typer.Option(help="Of all random draws.")] = 0,
) -> None:
    """Train the network that tells brain from head."""
    import torch

    from umaddpm_core import __version__
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cohorts import ixi, ixi_brain_labels, sequences_by_subject
    from umaddpm_core.data.labelled_heads import brain_extraction_set
    from umaddpm_core.data.splits import healthy_split
    from umaddpm_core.resources import BRAIN_EXTRACTOR
    from umaddpm_core.training.brain_extraction import CHANNELS, train_brain_extractor as run

    scans = ixi(folder)
    labels = ixi_brain_labels(folder)
    parts = healthy_split(sequences_by_subject(scans), labels)
    pairs = [
        (scan.path, labels[scan.subject])
        for scan in scans
        if scan.modality == "T1" and scan.subject in labels and parts[scan.subject] == "training"
    ]
    heads, maps = brain_extraction_set(pairs, sorted(label_maps.glob("*.nii*")))
    with progress_bar("Brain extractor") as advance:
        network = run(heads, maps, steps=steps, seed=seed, progress=lambda n, loss: advance(n / steps, f"loss {loss:.3f}"))
    provenance = {
        "cohort": "IXI (Hammersmith) with DLMUSE labels; whole-head label maps painted with random contrast",
        "labelled_scans": len(heads),
        "label_maps": len(maps),
        "steps": steps,
        "seed": seed,
        "package_version": __version__,
    }
    artefact = Artefact("brain_extractor", {"channels": list(CHANNELS)}, network.state_dict(), ["T1", "T2"], {}, provenance)
    typer.echo(f"Wrote {artefact.save(output or BRAIN_EXTRACTOR, torch.float16)}.")
