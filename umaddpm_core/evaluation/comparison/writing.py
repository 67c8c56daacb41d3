"""The files of a comparison: tables as Markdown, CSV and LaTeX, the figure, and all numbers as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.replacing import replacing
from umaddpm_core.evaluation.comparison.figure import draw
from umaddpm_core.evaluation.comparison.healthy import population_mean
from umaddpm_core.evaluation.comparison.judging import PROTOCOLS
from umaddpm_core.evaluation.comparison.pictures import THRESHOLD, picture, picture_threshold
from umaddpm_core.evaluation.comparison.runs import Comparison, Run
from umaddpm_core.evaluation.comparison.table import Table
from umaddpm_core.evaluation.comparison.tables import (
    Results,
    absent_table,
    cost_table,
    detection_table,
    healthy_table,
    kinds_table,
    seeds_table,
)
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import from_artefact


def write_comparison(comparison: Comparison, results: Results) -> Iterator[Path]:
    """Write all files, and say which."""
    folder, plan = comparison.output, comparison.plan
    for name, table in tables(comparison, results).items():
        for ending, text in (("md", table.markdown()), ("csv", table.csv()), ("tex", table.latex())):
            path = folder / "tables" / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(text)
            yield path
    for modality in plan.modalities:
        if path := _pictured(comparison, results, modality):
            yield path
    summary = [
        {**result["run"], "bound": result["bound"]}
        | ({"cost": result["cost"], "healthy": {part: result["healthy"][part] for part in ("summary", "kinds")}} if "cost" in result else {})
        | {"sets": {name: {p: found[p]["summary"] for p in PROTOCOLS} for name, found in result["sets"].items()}}
        for _, result in results
    ]
    write_json(folder / "comparison.json", {"package_version": __version__, "plan": plan.model_dump(mode="json"), "runs": summary})
    yield folder / "comparison.json"


def tables(comparison: Comparison, results: Results) -> dict[str, Table]:
    """Every table by the name of its file."""
    plan = comparison.plan
    found: dict[str, Table | None] = {}
    for modality in plan.modalities:
        for chosen in plan.sets:
            slug = f"{chosen.name.lower().replace(' ', '_')}_{modality}"
            if chosen.modality != modality:
                continue
            if chosen.name not in comparison.sets:
                found[slug] = absent_table(plan, chosen)
                continue
            for protocol in PROTOCOLS:
                found[f"{slug}_{protocol}"] = detection_table(plan, results, chosen, protocol, THRESHOLD)
                found[f"{slug}_{protocol}_seeds"] = seeds_table(plan, results, modality, chosen.name, protocol)
        population = population_mean(comparison.cache, modality, plan.healthy_people)
        found[f"healthy_{modality}"] = healthy_table(plan, results, modality, population)
        found[f"kinds_{modality}"] = kinds_table(plan, results, modality)
    found["cost"] = cost_table(plan, results, plan.modalities[0])
    return {name: table for name, table in found.items() if table is not None}


def _pictured(comparison: Comparison, results: Results, modality: str) -> Path | None:
    """The figure of one sequence; None where the plan names no case of it, or no model is there to show anything."""
    plan, cases = comparison.plan, comparison.pictured(modality)
    shown: dict[str, tuple[Run, dict[str, Any]]] = {}
    for run, result in results:
        if run.modality == modality and run.slices in (plan.long.slices, 0) and comparison.model(run).exists():
            shown.setdefault(run.entry.name, (run, result))
    if not cases or not shown:
        return None
    methods = {}
    for name, (run, result) in shown.items():
        method = from_artefact(Artefact.load(comparison.model(run)), **run.entry.test)
        methods[name] = [picture(method, case, *picture_threshold(result, modality, case_set)) for case_set, case in cases]
    path = comparison.output / f"figure_{modality}.png"
    draw(path, [case for _, case in cases], methods)
    return path
