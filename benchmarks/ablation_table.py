"""The model card's section on the ablation, of the runs that `benchmarks/ablation.py` has kept."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
from ablation import LESIONS, PEOPLE, ROWS, TRIED
from common import RESULTS, table

from umaddpm_core.evaluation.statistics import holm, permutation_p

FIGURES = {
    "psnr_499": "PSNR, t = 499",
    "ssim_499": "SSIM, t = 499",
    "painted_499": "AP, painted lesions, t = 499",
    "painted_200": "AP, painted lesions, t = 200",
    "tumours_499": "AUPRC, tumours, t = 499",
    "tumours_200": "AUPRC, tumours, t = 200",
}
FIRST, SECOND, THIRD = ROWS.values()

Run = dict[str, Any]


def ablation() -> str:
    """The section, or nothing where there are no runs."""
    runs = kept_runs()
    if not runs:
        return ""
    head = ("sequence", "row", "slices", "seeds", *FIGURES.values())
    how = (
        "Trained and measured as in the paper: nothing painted, all time steps, score `absolute`; only that every slice has noise of its own. "
        f"PSNR, SSIM and AP are of up to {PEOPLE} people of the test split with {LESIONS} painted lesions each, tumours those of the sections above."
    )
    return f"## Ablation (preset `{runs[0]['preset']}`)\n\n{how}\n\n{table(head, _lines(runs))}\n\n{_gains(runs)}\n"


def kept_runs() -> list[Run]:
    """Every run of the ablation that was measured."""
    return [json.loads(path.read_text()) for path in sorted((RESULTS / "ablation").glob("*.json"))]


def gain(runs: list[Run], modality: str, slices: int, better: str, worse: str) -> float:
    """What one row has over another in AUPRC on tumours at t = 499, mean over patients."""
    rows = _grouped(runs)[modality, slices]
    ours, theirs = _by_patient(rows[better]), _by_patient(rows[worse])
    return float(np.mean([ours[name] - theirs[name] for name in ours]))


def _grouped(runs: list[Run]) -> dict[tuple[str, int], dict[str, list[Run]]]:
    """By sequence and budget, the runs of each row in the order of the rows."""
    groups: dict[tuple[str, int], dict[str, list[Run]]] = defaultdict(dict)
    for row in (*ROWS.values(), *TRIED.values()):
        for run in runs:
            if run["row"] == row:
                groups[run["modality"], run["slices"]].setdefault(row, []).append(run)
    return dict(sorted(groups.items()))


def _lines(runs: list[Run]) -> list[tuple[Any, ...]]:
    """One line for every sequence, budget and row: the mean over seeds, ± their standard deviation where there are several."""
    lines = []
    for (modality, slices), rows in _grouped(runs).items():
        for row, some in rows.items():
            told = []
            for figure in FIGURES:
                values = [run[figure] for run in some]
                digits = 2 if figure.startswith("psnr") else 3
                told.append(f"{np.mean(values):.{digits}f}" + (f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""))
            lines.append((modality, row, f"{slices:,}", len(some), *told))
    return lines


def _gains(runs: list[Run]) -> str:
    """What each row gains over the one before it on tumours, by sequence and budget, patient by patient."""
    tests: list[tuple[str, int, str, float, float]] = []
    for (modality, slices), rows in _grouped(runs).items():
        tried = ((row, SECOND, f"instead: the {row}") for row in TRIED.values())
        for better, worse, what in ((SECOND, FIRST, "MAM"), (THIRD, SECOND, "the dual loss"), (THIRD, FIRST, "both"), *tried):
            if better not in rows or worse not in rows:
                continue
            ours, theirs = _by_patient(rows[better]), _by_patient(rows[worse])
            p = permutation_p(ours, theirs) if len(ours) > 5 else np.nan
            tests.append((modality, slices, what, gain(runs, modality, slices, better, worse), p))
    told = []
    for sequence in sorted({modality for modality, *_ in tests}):
        some = [test for test in tests if test[0] == sequence]
        for (modality, slices, what, more, _), p in zip(some, holm([test[-1] for test in some])):
            told.append((modality, f"{slices:,}", what, f"{more:+.3f} ({'three patients: no test' if np.isnan(p) else f'p = {p:.2g}'})"))
    return (
        "What a row adds to the AUPRC on tumours at t = 499 (of the paper's code lineage), mean over patients: paired permutation "
        "test over patients, each the mean of its seeds, corrected for the number of tests of a sequence (Holm). Of 60,000 slices there is one seed a row: the test compares two trained "
        "models there, and the short runs show how much another seed changes.\n\n" + table(("sequence", "slices", "added", "gain"), told)
    )


def _by_patient(runs: list[Run]) -> dict[str, float]:
    """The AUPRC of every patient at t = 499, mean over seeds."""
    return {name: float(np.mean([run["cases"][name]["tumours_499"] for run in runs])) for name in runs[0]["cases"]}
