"""`umaddpm evaluate`: how good is a model on a cohort?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from umaddpm_core.detection.calibration import Threshold

SHOWN = ("auprc", "dice_oracle", "psnr", "psnr_brain", "ssim", "ssim_brain")
BY_THRESHOLD = ("dice", "sensitivity", "specificity", "precision", "marked_ml")


def evaluate(
    source: Annotated[Path, typer.Argument(help="Folder of a cohort, CSV manifest, or array cache.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for cases.csv and summary.json.")],
    model: Annotated[str | None, typer.Option(help="Shipped name or model file; by default the default model.")] = None,
    layout: Annotated[str | None, typer.Option(help="Layout of the folder; by default recognised by its names.")] = None,
    modality: Annotated[str | None, typer.Option(help="Sequence; by default the model's first.")] = None,
    part: Annotated[str, typer.Option(help="Part of the split: test, development, validation, training, or all.")] = "test",
    score: Annotated[str | None, typer.Option(help="Which deviations count; by default the calibrated score.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes; by default one for each core, at most 8.")] = None,
) -> None:
    """Measure a model on cases with lesion masks, or on healthy ones: per case, and means with 95 % intervals over people.

    Everything is measured on the model's grid, on the reconstruction as the method gives it.
    """
    import os

    from umaddpm_core.artefact import Artefact
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cache import ArrayCache, is_cache
    from umaddpm_core.data.cohorts import guessed_layout, read_cohort
    from umaddpm_core.data.splits import cohort_parts
    from umaddpm_core.detection.anomaly_map import check_score
    from umaddpm_core.detection.calibration import chosen_threshold
    from umaddpm_core.detection.models import find_model
    from umaddpm_core.errors import InputError
    from umaddpm_core.evaluation.protocol import CacheCases, CohortCases
    from umaddpm_core.evaluation.protocol import evaluate as run
    from umaddpm_core.evaluation.report import write_report
    from umaddpm_core.methods import from_artefact
    from umaddpm_core.preprocessing.settings import PreprocessingSettings

    path = find_model(model)
    artefact = Artefact.load(path)
    modality = modality or artefact.modalities[0]
    if modality not in artefact.calibration:
        raise InputError(f"The model {path.stem} is not calibrated for {modality}.")
    calibration = artefact.calibration[modality]
    names = calibration["scores"][check_score(score or calibration["score"])]
    thresholds = [chosen_threshold(calibration, name, score) for name in names]
    if is_cache(source):
        cache = ArrayCache(source)
        cases, scans = CacheCases(cache), cache.scans(modality=modality, synthetic=False)
        parts = {scan.subject: scan.part for scan in scans}
    else:
        layout = layout or guessed_layout(source)
        cases, scans = CohortCases(PreprocessingSettings(**artefact.preprocessing)), read_cohort(source, layout)
        parts = cohort_parts(scans, layout)
    found = Counter(parts[scan.subject] for scan in scans if scan.modality == modality)
    chosen = [scan for scan in scans if scan.modality == modality and part in ("all", parts[scan.subject])]
    if not chosen:
        there = ", ".join(f"{count} {name}" for name, count in found.items()) or "none"
        raise InputError(f"{source} holds no {modality} scans in the part {part!r}; of {modality} there are {there}.")
    if trained := {scan.subject for scan in chosen} & set(artefact.provenance.get("subjects", ())):
        first = ", ".join(sorted(trained)[:3]) + (" …" if len(trained) > 3 else "")
        typer.echo(f"{len(trained)} of these people have the names of people who trained the model ({first}): their figures flatter it.", err=True)
    count = min(os.cpu_count() or 1, 8) if workers is None else workers
    with progress_bar(f"{len(chosen)} cases") as advance:
        measured, failures = run(from_artefact(artefact), thresholds, cases, chosen, workers=count, progress=advance)
    for name, reason in failures.items():
        typer.echo(f"{name} is left out: {reason}", err=True)
    if not measured:
        raise InputError(f"None of the {len(chosen)} cases could be measured.")
    facts = {
        "source": source.name,
        "part": part,
        "modality": modality,
        "model": path.stem,
        "method": artefact.method,
        "settings": {name: artefact.config.get(name) for name in ("t_test", "draws") if name in artefact.config},
        "thresholds": [threshold.as_dict() for threshold in thresholds],
        "default_threshold": calibration["threshold"],
        "left_out": failures,
        "trained_the_model": sorted(trained),
    }
    report = write_report(output, measured, facts)
    _print(report, thresholds)
    typer.echo(f"Wrote {output / 'cases.csv'} and {output / 'summary.json'}. Research use only.")


def _print(report: dict[str, Any], thresholds: list[Threshold]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "mean", "95 % interval", "people", title=f"{report['model']}, {report['modality']}, {report['cases']} cases")
    names = [*SHOWN, *(f"{figure}_{threshold.name}" for threshold in thresholds for figure in BY_THRESHOLD)]
    for name in names:
        if name in report["means"]:
            entry = report["means"][name]
            table.add_row(name, f"{entry['mean']:.3f}", f"{entry['low']:.3f} – {entry['high']:.3f}", str(entry["people"]))
    for name, value in report["pooled"].items():
        table.add_row(f"{name}, voxels pooled", f"{value:.3f}", "", "")
    Console().print(table)
