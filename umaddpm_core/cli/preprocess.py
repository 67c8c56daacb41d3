"""`umaddpm preprocess`: a cohort's scans into the array cache."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from umaddpm_core.preprocessing.choices import Coverage, Extraction, RegistrationBackend

if TYPE_CHECKING:
    from umaddpm_core.data.cohorts import Scan

MOST_WORKERS = 8
"""By default; a worker needs about 1 GB."""


def preprocess(
    source: Annotated[Path, typer.Argument(help="Folder of a cohort, or a CSV manifest.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the cache.")],
    layout: Annotated[
        str | None, typer.Option(help="ixi, brats, mslub, lgg, bids or folder; by default recognised by its names.")
    ] = None,
    modality: Annotated[list[str], typer.Option(help="Sequences to take; may be repeated.")] = ["T1"],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one for each core, at most 8.")] = None,
    coverage: Annotated[Coverage, typer.Option(help="Every slice that holds brain, or the paper's central 50.")] = "brain",
    brain_extraction: Annotated[Extraction, typer.Option(help="How the brain is found where no mask is given.")] = "auto",
    registration: Annotated[RegistrationBackend, typer.Option(help="What aligns the brains to the atlas.")] = "simpleitk",
    atlas: Annotated[Path | None, typer.Option(help="Stripped atlas instead of the shipped template.")] = None,
    atlas_brain: Annotated[Path | None, typer.Option(help="Mask of its brain; by default its non-zero voxels.")] = None,
    bias_correction: Annotated[bool, typer.Option(help="Remove the coil's shading.")] = True,
    curvature_flow: Annotated[bool, typer.Option(help="Denoise as the method's ancestors do.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Empty the cache first.")] = False,
) -> None:
    """Bring a cohort to the model's grid, once; a stopped run goes on where it was.

    A CSV manifest has the columns path, subject, modality and, if wanted, session, lesions, brain, part.
    """
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cache import ArrayCache, parts_by_subject
    from umaddpm_core.data.cohorts import cohort_name, guessed_layout, ixi_brain_labels, read_cohort
    from umaddpm_core.data.contact_sheet import draw_contact_sheets
    from umaddpm_core.data.preprocess import Recipe, fill_cache
    from umaddpm_core.data.splits import cohort_parts
    from umaddpm_core.errors import InputError
    from umaddpm_core.preprocessing.registration import read_atlas
    from umaddpm_core.preprocessing.settings import PreprocessingSettings

    settings = PreprocessingSettings(
        coverage=coverage,
        brain_extraction=brain_extraction,
        registration=registration,
        bias_correction=bias_correction,
        curvature_flow=curvature_flow,
    )
    read_atlas(atlas, atlas_brain)
    recipe = Recipe(settings, atlas, atlas_brain) if atlas else Recipe(settings)
    used_layout = layout or guessed_layout(source)
    scans = read_cohort(source, used_layout)
    wanted = [scan for scan in scans if scan.modality in modality]
    if not wanted:
        raise InputError(f"{source} holds no scans of {' or '.join(modality)}, only of {_counted(scan.modality for scan in scans)}.")
    labelled = ixi_brain_labels(source) if used_layout == "ixi" else ()
    parts = cohort_parts(scans, used_layout, labelled, kept={} if redo else parts_by_subject(output))
    typer.echo(f"{source} as {used_layout}{'' if layout else ' (recognised)'}: {_told(scans, wanted, parts)}.")
    with progress_bar("Preprocessing") as advance:
        failures = fill_cache(
            output,
            cohort_name(source, used_layout),
            scans,
            parts,
            modalities=modality,
            recipe=recipe,
            workers=workers or min(os.cpu_count() or 1, MOST_WORKERS),
            redo=redo,
            progress=lambda done, of: advance(done / of, f"{done} of {of} scans"),
        )
    if failures:
        _print_failures(failures)
    if len(failures) == len(wanted):
        raise InputError(f"None of the {len(wanted)} scans could be prepared; {output / 'failures.csv'} says why.")
    sheets = draw_contact_sheets(ArrayCache(output))
    typer.echo(f"Prepared {len(wanted) - len(failures)} of {len(wanted)} scans in {output}; have a look at {sheets[0]}.")


def _told(scans: list[Scan], wanted: list[Scan], parts: Mapping[str, str]) -> str:
    """What is taken, how it is split, and what is left out, in words."""
    people = {scan.subject for scan in wanted}
    taken = {scan.modality for scan in wanted}
    left_out = [scan.modality for scan in scans if scan.modality not in taken]
    return (
        f"{_counted(scan.modality for scan in wanted)} of {len(people)} people ({_counted(parts[one] for one in sorted(people))})"
        + (f"; left out {_counted(left_out)}" if left_out else "")
    )


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())


def _print_failures(failures: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("scan", "reason", title=f"{len(failures)} could not be prepared; the next run tries again", title_justify="left")
    for name, reason in sorted(failures.items()):
        table.add_row(name, reason)
    Console(stderr=True).print(table)
