"""The files of an evaluation: one row a case, and the summary."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from umaddpm_core import __version__
from umaddpm_core.data.replacing import replacing
from umaddpm_core.detection.detection import NOTICE
from umaddpm_core.evaluation.cases import Measured
from umaddpm_core.evaluation.protocol import rows, summary


def write_report(folder: Path, measured: Sequence[Measured], facts: dict[str, Any]) -> dict[str, Any]:
    """Write `cases.csv` and `summary.json` (what the model is, then the `summary` of the cases); returns the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {"package_version": __version__, **facts, **summary(measured), "notice": NOTICE}
    table = list(rows(measured))
    columns = list(dict.fromkeys(name for row in table for name in row))
    with replacing(folder / "cases.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({name: _rounded(value) for name, value in row.items()} for row in table)
    write_json(folder / "summary.json", report)
    return report


def write_json(path: Path, content: Any) -> None:
    """Write JSON at once or not at all, numbers to five digits after the point, what is not a number as null."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_tidy(content), indent=1, ensure_ascii=False) + "\n")


def _tidy(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _tidy(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_tidy(value) for value in content]
    value = _rounded(content)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
