"""The rows as a page and as JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from soak.row import Row

from umaddpm_core import __version__
from umaddpm_core.data.replacing import replacing
from umaddpm_core.serving.checkout import repository_root

PAGE = repository_root() / "docs" / "reliability.md"
RESULTS = repository_root() / "docs" / "results" / "reliability.json"

TEXT = """# What the server withstands

`make soak` starts real servers on loopback, does this to them, and writes this page and [every figure](results/reliability.json).

| what | demanded | measured | |
|---|---|---|---|
{rows}

Measured {machine[date]}, version {machine[version]} at commit {machine[commit]}, in {minutes:.0f} minutes on {machine[cores]} cores of
{machine[cpu]} with {machine[memory_gb]} GB, Python {machine[python]}; just before, other processes kept {machine[busy]:.0f} % of the cores
busy.

- Scans are the sample scans, the small ones at 3 mm.
- `overhead` and `gone-clients` are measured with the shipped model. Everything else uses a tiny one, a UMA-DDPM of the same code with
  few channels and random weights, without bias correction, so that many jobs fit into the hour; what it finds means nothing.
- Memory is measured with {cache_mb} MB for repeated questions (`UMADDPM_CACHE_MB`), which is full after the first few jobs; with the
  default of 1024 MB the server grows until that is full.
- Stock MONAI Label is started for the attacks with a minimal app. Its DICOMweb proxy is not compared, as a stock server with an archive
  needs a program from the internet to start.
- Short forms of all rows are part of `make test` and look at order and outcome, not at times. One row alone:
  `python benchmarks/soak kills --times 5`.
"""


def machine() -> dict[str, Any]:
    """Where the figures come from, and how busy it is."""
    model = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=repository_root(), capture_output=True, text=True).stdout
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"), "version": __version__, "commit": commit.strip() or "unknown",
        "cpu": model[0] if model else platform.processor(), "cores": os.cpu_count(), "python": platform.python_version(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9), "busy": psutil.cpu_percent(3),
    }  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """One line per row, in Markdown."""
    return "\n".join(f"| {row.what} | {row.demand} | {row.figure} | {'passed' if row.passed else '**not passed**'} |" for row in rows)


def write(rows: Sequence[Row], measured_on: dict[str, Any], seconds: float, cache_mb: str) -> None:
    """Replace the page and the JSON file."""
    with replacing(RESULTS) as temporary:
        everything = {"machine": measured_on, "seconds": round(seconds), "rows": [asdict(row) for row in rows]}
        temporary.write_text(json.dumps(everything, indent=1) + "\n")
    with replacing(PAGE) as temporary:
        temporary.write_text(TEXT.format(rows=table(rows), machine=measured_on, minutes=seconds / 60, cache_mb=cache_mb))


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
