"""`umaddpm extract-brain`: one scan in, its brain mask out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from umaddpm_core.preprocessing.choices import Extraction


def extract_brain(
    scan: Annotated[Path, typer.Argument(help="Image file, DICOM folder or zip.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Mask file: .nii.gz, .nrrd or .mha.")],
    brain_extraction: Annotated[Extraction, typer.Option(help="The program; auto leaves a stripped scan as it is.")] = "auto",
    series: Annotated[str | None, typer.Option(help="Which DICOM series: its number, UID or description.")] = None,
) -> None:
    """Find the brain in a head scan of any contrast; the mask lies on the scan's own grid."""
    from umaddpm_core.errors import InputError, naming
    from umaddpm_core.preprocessing.brain_extraction import brain_mask, mask_ml
    from umaddpm_core.preprocessing.reading import read_scan
    from umaddpm_core.preprocessing.writing import write_image

    if not output.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".mha")):
        raise InputError(f"{output.name} is not a name for a mask; use .nii.gz, .nrrd or .mha.")
    acquired = read_scan(scan, series=series)
    with naming(acquired.name):
        mask, way = brain_mask(acquired.image, extraction=brain_extraction)
    write_image(mask, output)
    for warning in acquired.warnings:
        typer.echo(warning, err=True)
    typer.echo(f"{mask_ml(mask):.0f} ml of brain ({way}) in {output}. Research use only.")
