"""The tables of a comparison: detection on a set of cases, healthy people, cost, and the spread over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from umaddpm_core.data.synthetic_lesions import PATHOLOGIES
from umaddpm_core.evaluation.comparison.plan import CaseSet, Plan, learns
from umaddpm_core.evaluation.comparison.runs import Run
from umaddpm_core.evaluation.comparison.table import MISSING, Table, falling, mean, with_interval
from umaddpm_core.evaluation.statistics import by_subject, holm, permutation_p

Results = Sequence[tuple[Run, dict[str, Any]]]

DETECTION = ["method", "DSC", "DSC, oracle", "AUPRC", "p (Holm)", "TNR", "FP/(FP+FN)", "TPR", "precision", "lesion-wise F1", "SSIM", "PSNR, dB"]
NOT_RUN = "not run here"
RESEARCH = "Research use only."
SIGNIFICANT = 0.05


def detection_table(plan: Plan, results: Results, chosen: CaseSet, protocol: str, threshold: str) -> Table:
    """The paper's Table 1 for one set of cases: DSC, AUPRC, TNR, TPR, SSIM and PSNR by method, from the long runs.

    A p stands for AUPRC against the reference: paired permutation test over people, corrected after Holm.
    """
    long = _long(plan, results, chosen.modality)
    values = {name: _figures(result, chosen.name, protocol, "auprc") for name, result in long.items()}
    others = [name for name in values if name != plan.reference]
    raw = [permutation_p(values[plan.reference], values[name]) for name in others] if plan.reference in values else []
    p = dict(zip(others, holm(raw)))
    means = {name: result["sets"][chosen.name][protocol]["summary"]["means"] for name, result in long.items()}
    named = threshold if any(f"dice_{threshold}" in one for one in means.values()) else "synthetic_dice"
    lower = {name: float(np.mean(list(values[name].values()))) < _mean_of(values[plan.reference], values[name]) for name in p}
    rows = [
        _detection_row(name, means[name], result["healthy"]["summary"], named, _told(p.get(name), lower.get(name)))
        for name, result in long.items()
    ]
    rows.sort(key=lambda row: falling(row[3]))
    notes = [
        f"{_people({name: len(one) for name, one in values.items()})}; mean over people with 95 % bootstrap interval. DSC, TNR, TPR, precision "
        f"and F1 at `{named}`; SSIM and PSNR inside the brain of healthy test people. p: AUPRC against {plan.reference}, "
        f"lower or higher where p < {SIGNIFICANT}; it tells two trained models "
        f"apart, and says nothing of other seeds. Precision: over those with a mask. `oracle`: small findings not dropped. "
        f"FP/(FP+FN) is what the ancestors' code calls specificity. {RESEARCH}"
    ]
    return Table(f"{chosen.name}, {chosen.modality}, {protocol} protocol", DETECTION, rows, [*notes, *_notes(plan)])


def absent_table(plan: Plan, chosen: CaseSet) -> Table:
    """The same rows of a set whose cases are not there."""
    rows = [[entry.name, *[NOT_RUN] * (len(DETECTION) - 1)] for entry in plan.methods]
    return Table(f"{chosen.name}, {chosen.modality}", DETECTION, rows, [f"{chosen.source.name} is not there. {RESEARCH}"])


def _detection_row(name: str, means: dict[str, Any], healthy: dict[str, Any], threshold: str, p: str) -> list[str]:
    return [
        name,
        *(with_interval(means, figure) for figure in (f"dice_{threshold}", "dice_oracle", "auprc")),
        p,
        *(mean(means, f"{figure}_{threshold}") for figure in ("specificity", "repo_specificity", "sensitivity", "precision")),
        with_interval(means, f"lesion_f1_{threshold}"),
        mean(healthy, "ssim"),
        mean(healthy, "psnr", 2),
    ]


def _people(counts: dict[str, int]) -> str:
    """How many people were measured, and by name which methods on fewer."""
    most = max(counts.values(), default=0)
    return ", ".join([f"{most} people", *(f"{name} on {count}" for name, count in counts.items() if count < most)])


def _told(p: float | None, lower: bool | None) -> str:
    """A p, and which way the difference is where chance does not explain it."""
    if p is None or np.isnan(p):
        return ""
    return f"{p:.4f}" + (f", {'lower' if lower else 'higher'}" if p < SIGNIFICANT else "")


def _mean_of(values: dict[str, float], people: Iterable[str]) -> float:
    """The mean over those of the people who are there."""
    return float(np.mean([values[person] for person in people if person in values]))


def healthy_table(plan: Plan, results: Results, modality: str, population: dict[str, float]) -> Table:
    """Repainting healthy people, and lesions painted into their scans, by method.

    Args:
        population: `psnr` and `ssim` of the mean healthy scan, which a method that learned something surpasses.
    """
    long = _long(plan, results, modality)
    rows = []
    for name, result in long.items():
        told = result["healthy"]["summary"]
        figures = [mean(told, "psnr", 2), mean(told, "ssim"), mean(told, "restored", 0, 100) + " %", mean(told, "error_ratio", 2)]
        rows.append([name, *figures, mean(told, "dice"), mean(told, "average_precision"), mean(told, "marked_share", 2, 100) + " %"])
    rows.sort(key=lambda row: falling(row[6]))
    rows.append(["population mean", f"{population['psnr']:.2f}", f"{population['ssim']:.3f}", *[MISSING] * 5])
    columns = ["method", "PSNR, dB", "SSIM", "restored", "error ratio", "DSC, painted", "AP, painted", "healthy brain marked"]
    blurred = [name for name, result in long.items() if result["healthy"]["summary"]["psnr"]["mean"] <= population["psnr"]]
    unmended = [name for name, result in long.items() if result["healthy"]["summary"]["error_ratio"]["mean"] >= 1]
    notes = [
        f"{_people({name: result['healthy']['summary']['psnr']['people'] for name, result in long.items()})}; the population mean on all of them.",
        f"Repaints no better than the population mean image: {', '.join(blurred) or 'none'}.",
        f"Leaves a larger error inside painted lesions than the untouched scan has: {', '.join(unmended) or 'none'}.",
        f"Painted lesions are no patients. Masks at `synthetic_dice`. {RESEARCH}",
    ]
    return Table(f"Healthy test people, {modality}", columns, rows, notes)


def kinds_table(plan: Plan, results: Results, modality: str) -> Table:
    """Average precision by kind of painted lesion, and what a wider ventricle adds to the share of the brain marked."""
    rows = []
    lesions = [kind for kind in PATHOLOGIES if kind != "atrophy"]
    for name, result in _long(plan, results, modality).items():
        kinds, healthy = result["healthy"]["kinds"], result["healthy"]["summary"]
        added = 100 * (kinds["atrophy"]["marked_share"]["mean"] - healthy["marked_share"]["mean"])
        rows.append([name, *(mean(kinds[kind], "average_precision") for kind in lesions), f"{added:+.2f}"])
    rows.sort(key=lambda row: falling(row[1]))
    notes = [f"Average precision by kind. Atrophy is no lesion: percentage points of the brain marked beyond the healthy scan. {RESEARCH}"]
    return Table(f"Painted lesions by kind, {modality}", ["method", *lesions, "atrophy, points"], rows, notes)


def cost_table(plan: Plan, results: Results, modality: str) -> Table:
    """What a scan of 50 slices costs by method, and in how many steps it saw the slices of its training."""
    rows, entries = [], {entry.name: entry for entry in plan.methods}
    for name, result in _long(plan, results, modality).items():
        cost, entry = result["cost"], entries[name]
        steps = f"{plan.training(entry, modality, plan.long.slices, 0).steps:,}" if learns(entry) else MISSING
        figures = f"{cost['parameters'] / 1e6:.2f}", f"{cost['gflop']:,.0f}", f"{cost['seconds']:.1f}", f"{cost['peak_gib']:.2f}"
        rows.append([name, steps, *figures])
    notes = [f"Steps: of the optimiser, for the {plan.long.slices:,} slices of training. Seconds: on one core. Memory: of the whole process."]
    return Table("Cost of a scan of 50 slices", ["method", "optimiser steps", "parameters, million", "GFLOP", "seconds", "peak memory, GiB"], rows, notes)


def seeds_table(plan: Plan, results: Results, modality: str, case_set: str, protocol: str) -> Table | None:
    """The spread over the seeds of the short runs; None where the plan has none."""
    if plan.short is None:
        return None
    rows = []
    for entry in plan.methods:
        found = [
            np.mean(list(_figures(result, case_set, protocol, "auprc").values()))
            for run, result in results
            if run.entry.name == entry.name and run.modality == modality and run.slices == plan.short.slices
        ]
        if found:
            rows.append([entry.name, f"{np.mean(found):.3f}", f"{np.std(found, ddof=1):.3f}" if len(found) > 1 else MISSING, str(len(found))])
    title = f"{case_set}, {modality}, {protocol} protocol, after {plan.short.slices:,} slices"
    return Table(title, ["method", "AUPRC", "deviation over seeds", "seeds"], rows, [])


def _long(plan: Plan, results: Results, modality: str) -> dict[str, dict[str, Any]]:
    """The long runs' results of one sequence by method: of the first seed."""
    found: dict[str, dict[str, Any]] = {}
    for run, result in results:
        if run.modality == modality and run.slices in (plan.long.slices, 0):
            found.setdefault(run.entry.name, result)
    return found


def _figures(result: dict[str, Any], case_set: str, protocol: str, figure: str) -> dict[str, float]:
    """A figure by person."""
    cases = [case for case in result["sets"][case_set][protocol]["cases"] if case.get(figure) is not None]
    return by_subject([case["subject"] for case in cases], [case[figure] for case in cases])


def _notes(plan: Plan) -> list[str]:
    return [f"{entry.name}: {entry.note}" for entry in plan.methods if entry.note]
