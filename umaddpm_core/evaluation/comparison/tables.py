"""The paper's tables in our numbers: Markdown, CSV and LaTeX of one and the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from umaddpm_core.evaluation.comparison.plan import Plan
from umaddpm_core.evaluation.comparison.runs import Run
from umaddpm_core.evaluation.statistics import by_subject, holm, permutation_p

Results = Sequence[tuple[Run, dict[str, Any]]]


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of text; `notes` stand below."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]

    def markdown(self) -> str:
        lines = [" | ".join(row) for row in ([*self.columns], ["---"] * len(self.columns), *self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {line} |" for line in lines), "", *self.notes]).rstrip() + "\n"

    def csv(self) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue()

    def latex(self) -> str:
        lines = [" & ".join(_escaped(cell) for cell in row) + r" \\" for row in (self.columns, *self.rows)]
        return "\n".join(
            [
                r"\begin{table}",
                rf"\caption{{{_escaped(self.title)}. {_escaped(' '.join(self.notes))}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
                r"\toprule",
                lines[0],
                r"\midrule",
                *lines[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )


def detection_table(plan: Plan, results: Results, modality: str, case_set: str, protocol: str, threshold: str) -> Table:
    """The paper's Table 1 for one sequence and set: DSC, AUPRC, TNR, TPR, SSIM and PSNR by method, from the long runs.

    A p stands for AUPRC against the reference: paired permutation test over people, corrected after Holm.
    """
    long = _long(plan, results, modality)
    values = {name: _figures(result, case_set, protocol, "auprc") for name, result in long.items()}
    others = [name for name in values if name != plan.reference]
    raw = [permutation_p(values[plan.reference], values[name]) for name in others] if plan.reference in values else []
    p = dict(zip(others, holm(raw)))
    rows = [_detection_row(name, result, case_set, protocol, threshold, p.get(name)) for name, result in long.items()]
    rows.sort(key=lambda row: _falling(row[3]))
    columns = ["method", "DSC", "DSC, oracle", "AUPRC", "p (Holm)", "TNR", "FP/(FP+FN)", "TPR", "lesion-wise F1", "SSIM", "PSNR, dB"]
    people = max((len(one) for one in values.values()), default=0)
    notes = [
        f"{people} people; mean over people with 95 % bootstrap interval. DSC, TNR, TPR and F1 at `{threshold}`; SSIM and PSNR inside "
        f"the brain of healthy test people. p: AUPRC against {plan.reference}. FP/(FP+FN) is what the ancestors' code calls "
        "specificity. Research use only."
    ]
    return Table(f"{case_set}, {modality}, {protocol} protocol", columns, rows, [*notes, *_notes(plan)])


def _detection_row(
    name: str, result: dict[str, Any], case_set: str, protocol: str, threshold: str, p: float | None
) -> list[str]:
    means, healthy = result["sets"][case_set][protocol]["summary"]["means"], result["healthy"]["summary"]
    named = threshold if f"dice_{threshold}" in means else "synthetic_dice"
    return [
        name,
        *(_with_interval(means, figure) for figure in (f"dice_{named}", "dice_oracle", "auprc")),
        "" if p is None or np.isnan(p) else f"{p:.4f}",
        *(_mean(means, f"{figure}_{named}") for figure in ("specificity", "repo_specificity", "sensitivity")),
        _with_interval(means, f"lesion_f1_{named}"),
        _mean(healthy, "ssim"),
        _mean(healthy, "psnr", 2),
    ]


def _mean(means: dict[str, Any], figure: str, digits: int = 3, factor: float = 1) -> str:
    """A mean, or a dash where nobody has the figure."""
    value = means.get(figure, {}).get("mean")
    return "–" if value is None else f"{factor * value:.{digits}f}"


def _falling(cell: str) -> float:
    """Sorts cells by their number, the largest first and dashes last."""
    return float("inf") if cell == "–" else -float(cell.split()[0])


def _with_interval(means: dict[str, Any], figure: str) -> str:
    low, high = (means.get(figure, {}).get(end) for end in ("low", "high"))
    return _mean(means, figure) + ("" if low is None else f" ({low:.3f}–{high:.3f})")


def healthy_table(plan: Plan, results: Results, modality: str) -> Table:
    """Repainting healthy people, and lesions painted into their scans, by method."""
    rows = []
    for name, result in _long(plan, results, modality).items():
        told = result["healthy"]["summary"]
        rows.append(
            [
                name,
                _mean(told, "psnr", 2),
                _mean(told, "ssim"),
                _mean(told, "restored", 0, 100) + " %",
                _mean(told, "error_ratio", 2),
                _mean(told, "dice"),
                _mean(told, "average_precision"),
                _mean(told, "marked_share", 2, 100) + " %",
            ]
        )
    rows.sort(key=lambda row: _falling(row[6]))
    columns = ["method", "PSNR, dB", "SSIM", "restored", "error ratio", "DSC, painted", "AP, painted", "healthy brain marked"]
    note = "Synthetic lesions are no patients. Score `both` at `synthetic_dice`. Research use only."
    return Table(f"Healthy test people, {modality}", columns, rows, [note])


def cost_table(plan: Plan, results: Results, modality: str) -> Table:
    """What a scan of 50 slices costs by method."""
    rows = []
    for name, result in _long(plan, results, modality).items():
        cost = result["cost"]
        rows.append(
            [name, f"{cost['parameters'] / 1e6:.2f}", f"{cost['gflop']:,.0f}", f"{cost['seconds']:.1f}", f"{cost['peak_gib']:.2f}"]
        )
    return Table("Cost of a scan of 50 slices", ["method", "parameters, million", "GFLOP", "seconds", "peak memory, GiB"], rows, [])


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
            rows.append([entry.name, f"{np.mean(found):.3f}", f"{np.std(found, ddof=1):.3f}" if len(found) > 1 else "–", str(len(found))])
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


def _escaped(text: str) -> str:
    for sign, replacement in (("&", r"\&"), ("%", r"\%"), ("_", r"\_"), ("–", "--"), ("`", "")):
        text = text.replace(sign, replacement)
    return text
