"""`umaddpm compare`: all methods of a plan, trained and judged alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    plan: Annotated[Path, typer.Argument(help="YAML file: methods, budgets and sets of cases.")],
    cache: Annotated[Path, typer.Option(help="Array cache of healthy scans, made by `umaddpm preprocess`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for runs, tables and the figure.")],
    kept: Annotated[Path | None, typer.Option(help="Folder for the result of every run, by default that of the runs. With it, and without models, a comparison goes on elsewhere.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that judge; 0 computes in this one.")] = 2,
) -> None:
    """Train what is not trained, judge what is not judged, and write the tables and the figure.

    Can be stopped and goes on. Nothing is computed twice, and nothing is used again that was made of other settings, data or code.
    """
    from umaddpm_core.data.cache import ArrayCache
    from umaddpm_core.evaluation.comparison.plan import read_plan
    from umaddpm_core.evaluation.comparison.runs import Comparison
    from umaddpm_core.evaluation.comparison.writing import write_comparison

    comparison = Comparison(read_plan(plan), ArrayCache(cache), output, kept=kept, workers=workers, tell=typer.echo)
    results = comparison.complete()
    for path in write_comparison(comparison, results):
        typer.echo(f"Wrote {path}")
    typer.echo("Research use only.")
