"""Does the order of a comparison's one-step diffusion models depend on the time step at which they repaint?

    umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison
    python benchmarks/order.py run/compare --cache cache

The plan repaints at the step of the paper's code lineage, t = 499. Here the same trained models repaint the same real cases at
other steps. Nothing is chosen by it. Writes `docs/results/order.json`; `benchmarks/benchmark_page.py` makes its table.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from benchmark_page import PROTOCOLS, REAL
from common import RESULTS
from finished_comparison import finished_comparison

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import CachedScan
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.evaluation.comparison.judging import score_of
from umaddpm_core.evaluation.metrics import average_precision
from umaddpm_core.evaluation.protocol import CacheCases
from umaddpm_core.evaluation.repaint import over_scans
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.methods.one_step import OneStepDiffusion

T = (100, 200, 350, 499)


def judged(method: Method, cases: CacheCases, modality: str, scan: CachedScan) -> dict[str, float]:
    """The AUPRC of a case by protocol."""
    case = cases(scan)
    reconstruction = method.reconstruct(case.volume)
    maps = {protocol: anomaly_map(case.volume, reconstruction, case.brain, score_of(protocol, modality)) for protocol in PROTOCOLS}
    return {protocol: average_precision(found[0].numpy().clip(min=0), case.truth[0].numpy()) for protocol, found in maps.items()}


def main() -> None:
    comparison = finished_comparison(__doc__.splitlines()[0])
    plan = comparison.plan
    rows = []
    for run in comparison.runs():
        artefact = Artefact.load(comparison.model(run)) if run.slices == plan.long.slices else None
        if artefact is None or not isinstance(from_artefact(artefact), OneStepDiffusion):
            continue
        chosen = comparison.sets[REAL[run.modality]]
        for t in T:
            method = from_artefact(artefact, **{**run.entry.test, "t_test": t})
            found = over_scans(partial(judged, method, chosen.cases, run.modality), chosen.scans, comparison.workers)
            means = {protocol: float(np.mean([case[protocol] for case in found])) for protocol in PROTOCOLS}
            rows.append({"method": run.entry.name, "modality": run.modality, "t": t, "cases": len(found), **means})
            print(rows[-1])
    write_json(RESULTS / "order.json", {"package_version": __version__, "slices": plan.long.slices, "rows": rows})


if __name__ == "__main__":
    main()
