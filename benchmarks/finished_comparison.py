"""The comparison that `umaddpm compare` has finished, as the command lines of other benchmarks name it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from common import ROOT

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.evaluation.comparison.plan import read_plan
from umaddpm_core.evaluation.comparison.runs import Comparison


def finished_comparison(what: str) -> Comparison:
    """With its models and results; `what` the benchmark does is said by `--help`."""
    parser = ArgumentParser(description=what)
    parser.add_argument("comparison", type=Path, help="output folder of `umaddpm compare`, with its models")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--plan", type=Path, default=Path(__file__).with_name("comparison.yaml"))
    parser.add_argument("--kept", type=Path, default=ROOT / "docs" / "results" / "comparison")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    return Comparison(
        read_plan(options.plan), ArrayCache(options.cache), options.comparison, kept=options.kept, workers=options.workers
    )
