"""The files of a comparison: tables as Markdown, CSV and LaTeX, the figure, and all numbers as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from umaddpm_core import __version__
from umaddpm_core.data.replacing import replacing
from umaddpm_core.evaluation.comparison.figure import draw
from umaddpm_core.evaluation.comparison.judging import PROTOCOLS, score_of
from umaddpm_core.evaluation.comparison.runs import Comparison
from umaddpm_core.evaluation.comparison.tables import Results, Table, cost_table, detection_table, healthy_table, seeds_table
from umaddpm_core.evaluation.report import write_json

THRESHOLD = "lesion_dice"
"""Where a set has a development part; else `synthetic_dice`."""


def write_comparison(comparison: Comparison, results: Results) -> Iterator[Path]:
    """Write all files, and say which."""
    folder = comparison.output
    for name, table in tables(comparison, results).items():
        for ending, text in (("md", table.markdown()), ("csv", table.csv()), ("tex", table.latex())):
            path = folder / "tables" / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(text)
            yield path
    for modality in comparison.plan.modalities:
        if path := _pictured(comparison, results, modality):
            yield path
    summary = [
        {**result["run"], "bound": result["bound"], "cost": result["cost"], "healthy": result["healthy"]["summary"]}
        | {"sets": {name: {p: found[p]["summary"] for p in PROTOCOLS} for name, found in result["sets"].items()}}
        for _, result in results
    ]
    write_json(folder / "comparison.json", {"package_version": __version__, "runs": summary})
    yield folder / "comparison.json"


def tables(comparison: Comparison, results: Results) -> dict[str, Table]:
    """Every table by the name of its file."""
    plan = comparison.plan
    found: dict[str, Table | None] = {}
    for modality in plan.modalities:
        for chosen in plan.sets:
            if chosen.modality == modality:
                for protocol in PROTOCOLS:
                    slug = f"{chosen.name.lower().replace(' ', '_')}_{modality}_{protocol}"
                    found[slug] = detection_table(plan, results, modality, chosen.name, protocol, THRESHOLD)
                    found[f"{slug}_seeds"] = seeds_table(plan, results, modality, chosen.name, protocol)
        found[f"healthy_{modality}"] = healthy_table(plan, results, modality)
    found["cost"] = cost_table(plan, results, plan.modalities[0])
    return {name: table for name, table in found.items() if table is not None}


def _pictured(comparison: Comparison, results: Results, modality: str) -> Path | None:
    """The figure of one sequence; None where the plan names no case of it."""
    plan, cases, methods = comparison.plan, [], {}
    for chosen in plan.sets:
        prepared = comparison.sets[chosen.name]
        if chosen.modality == modality:
            cases += [prepared.cases(scan) for scan in prepared.scans if scan.name in plan.pictures]
    if not cases:
        return None
    for run, result in results:
        if run.modality == modality and run.slices in (plan.long.slices, 0) and run.entry.name not in methods:
            score = score_of("signed", modality)
            named = result["thresholds"][score]
            value = named.get(THRESHOLD, named["synthetic_dice"])["value"]
            methods[run.entry.name] = comparison.method(run), score, value
    path = comparison.output / f"figure_{modality}.png"
    draw(path, cases, methods)
    return path
