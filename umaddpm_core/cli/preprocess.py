"""`umaddpm preprocess`: a cohort's scans into the array cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def preprocess(
    folder: Annotated[Path, typer.Argument(help="IXI folder with sub-folders T1 and T2.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the cache.")],
    modality: Annotated[list[str], typer.Option(help="Sequences to take; may be repeated.")] = ["T1"],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Bring a healthy cohort to the model's grid, once; a stopped run goes on where it was."""
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.cohorts import ixi, ixi_brain_labels, sequences_by_subject
    from umaddpm_core.data.preprocess import fill_cache
    from umaddpm_core.data.splits import healthy_split

    scans = ixi(folder)
    parts = healthy_split(sequences_by_subject(scans), ixi_brain_labels(folder))
    with progress_bar("Preprocessing") as advance:
        failures = fill_cache(
            output,
            "IXI",
            [scan for scan in scans if scan.modality in modality],
            parts,
            workers=workers,
            progress=lambda done, of: advance(done / of, f"{done} of {of} scans"),
        )
    for name, reason in sorted(failures.items()):
        typer.echo(f"{name}: {reason}", err=True)
