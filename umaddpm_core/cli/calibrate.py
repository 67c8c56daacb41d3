"""`umaddpm calibrate`: a trained model's thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    model: Annotated[Path, typer.Argument(help="model.safetensors of a training run.")],
    cache: Annotated[Path, typer.Option(help="Array cache made by `umaddpm preprocess`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The calibrated model file.")],
    t: Annotated[list[int], typer.Option(min=0, max=999, help="Time step at which scans are repainted; of several, the mean.")] = [150],
    draws: Annotated[int, typer.Option(min=1, help="Repaintings averaged at each.")] = 1,
    score: Annotated[
        str | None, typer.Option(help="Default score: both, dark, bright, mostly_dark, mostly_bright or absolute; by default mostly_dark in T1, mostly_bright in T2.")
    ] = None,
    threshold: Annotated[
        str, typer.Option(help="Default threshold: healthy_scans_10, healthy_fpr_1, synthetic_dice, or lesion_dice where --lesions has cases.")
    ] = "healthy_scans_10",
    lesions: Annotated[Path | None, typer.Option(help="Array cache of cases with lesion masks, for the threshold lesion_dice.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 computes in this one.")] = 2,
) -> None:
    """Find the thresholds of a trained model on validation people."""
    import torch

    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.errors import InputError
    from umaddpm_core.evaluation.calibrate import calibrate as run
    from umaddpm_core.methods import from_artefact

    artefact = Artefact.load(model)
    deployed = {} if artefact.method == "intensity" else {"t_test": tuple(t), "draws": draws, "shared_noise_test": False}
    method = from_artefact(artefact, **deployed)
    stored, labelled = ArrayCache(cache), ArrayCache(lesions) if lesions else None
    if threshold not in ("healthy_scans_10", "healthy_fpr_1", "synthetic_dice", *(["lesion_dice"] if lesions else [])):
        raise InputError(f"There will be no threshold {threshold!r}; lesion_dice needs --lesions.")
    patients = {modality: labelled for modality in artefact.modalities if labelled and labelled.scans("development", modality)}
    if labelled and not patients:
        raise InputError(f"The cache {lesions} holds no development cases of {', '.join(artefact.modalities)}.")
    calibration = {}
    for modality in artefact.modalities:
        default = "healthy_scans_10" if threshold == "lesion_dice" and modality not in patients else threshold
        with progress_bar(f"Calibrating {modality}") as advance:
            calibration[modality] = run(
                method,
                stored,
                modality,
                score=score,
                threshold=default,
                labelled=patients.get(modality),
                workers=workers,
                progress=advance,
            )
    artefact.config = method.config.model_dump(mode="json")
    artefact.calibration = calibration
    artefact.save(output, torch.float16)
    for modality, entry in calibration.items():
        for name, found in entry["scores"][entry["score"]].items():
            typer.echo(f"{modality} {entry['score']} {name} = {found['value']:.4f}: {found['found']}.")
    typer.echo(f"Wrote {output}.")
