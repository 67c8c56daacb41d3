"""`umaddpm build-template`, `build-structures` and `train-brain-extractor`: how the shipped resources of the preprocessing are made."""

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
    from umaddpm_core.data.cohorts import ixi, ixi_brain_labels
    from umaddpm_core.data.splits import healthy_split, sequences_by_subject
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


def build_structures(
    label_maps: Annotated[Path, typer.Argument(help="Folder of whole-head label maps with FreeSurfer's numbers.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Image; by default the package's.")] = None,
) -> None:
    """Let labelled heads vote for the structure at every voxel of the template."""
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.structures import vote
    from umaddpm_core.errors import InputError
    from umaddpm_core.preprocessing.registration import read_atlas
    from umaddpm_core.resources import STRUCTURES

    paths = sorted(label_maps.glob("*.nii*"))
    if not paths:
        raise InputError(f"There are no label maps (*.nii, *.nii.gz) in {label_maps}.")
    target = output or STRUCTURES
    with progress_bar("Structures") as advance:
        used = vote(paths, *read_atlas(), target, lambda done: advance(done / len(paths)))
    typer.echo(f"{used} of {len(paths)} heads voted; wrote {target}.")


def train_brain_extractor(
    folder: Annotated[Path, typer.Argument(help="IXI folder with sub-folders T1, T2 and labels.")],
    label_maps: Annotated[Path, typer.Option(help="Folder of whole-head label maps.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Model file; by default the package's.")] = None,
    steps: Annotated[int, typer.Option(min=0, help="Optimiser steps on labelled scans.")] = 1600,
    more_steps: Annotated[int, typer.Option(min=0, help="Optimiser steps with T2 scans added.")] = 1200,
    start: Annotated[Path | None, typer.Option(help="Model file to start from instead of random weights.")] = None,
    seed: Annotated[int, typer.Option(help="Of all random draws.")] = 0,
) -> None:
    """Train the network that tells brain from head.

    First on labelled T1 scans and painted label maps of the training split; then with the T2 scans of other training
    people as well, whose brains are taken from their T1 by the network of the first part.
    """
    import torch

    from umaddpm_core import __version__
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cohorts import ixi, ixi_brain_labels
    from umaddpm_core.data.labelled_heads import labelled_map, labelled_scan, other_contrast
    from umaddpm_core.data.splits import healthy_split, sequences_by_subject
    from umaddpm_core.networks.brain_extractor import BrainExtractor
    from umaddpm_core.resources import BRAIN_EXTRACTOR
    from umaddpm_core.training.brain_extraction import train_brain_extractor as run

    scans = ixi(folder)
    labels = ixi_brain_labels(folder)
    parts = healthy_split(sequences_by_subject(scans), labels)
    training = {(scan.subject, scan.modality): scan.path for scan in scans if parts[scan.subject] == "training"}
    heads = [labelled_scan(path, labels[who]) for (who, what), path in training.items() if what == "T1" and who in labels]
    maps = [labelled_map(path) for path in sorted(label_maps.glob("*.nii*"))]
    labelled = len(heads)
    begun = Artefact.load(start) if start else None
    torch.manual_seed(seed)
    network = BrainExtractor()
    if begun:
        network.load_state_dict(begun.weights)
    if steps:
        with progress_bar("Brain extractor, T1") as advance:
            network = run(
                heads, maps, network=network, steps=steps, seed=seed, progress=lambda n, loss: advance(n / steps, f"loss {loss:.3f}")
            )
    if more_steps:
        heads += [other_contrast(path, training[who, "T1"], network) for (who, what), path in training.items() if what == "T2"]
        with progress_bar("Brain extractor, T2 added") as advance:
            network = run(
                heads,
                maps,
                network=network,
                steps=more_steps,
                learning_rate=1e-3,
                seed=seed + 1,
                progress=lambda n, loss: advance(n / more_steps, f"loss {loss:.3f}"),
            )
    provenance = {
        "cohort": "IXI (Hammersmith): T1 with DLMUSE labels, T2 with brains found in the T1; label maps in random contrast",
        "labelled_scans": labelled,
        "t2_scans": len(heads) - labelled,
        "label_maps": len(maps),
        "steps": steps + more_steps,
        "seed": seed,
        "package_version": __version__,
        "started_from": begun.provenance if begun else None,
    }
    artefact = Artefact("brain_extractor", {}, network.state_dict(), ["T1", "T2"], provenance=provenance)
    typer.echo(f"Wrote {artefact.save(output or BRAIN_EXTRACTOR, torch.float16)}.")
