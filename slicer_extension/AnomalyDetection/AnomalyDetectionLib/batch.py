"""Many scans one after the other: which there are, what came of each, and the table of it. No Qt, no MRML."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .client import Results
from .replacing import replacing

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
COLUMNS = ("scan", "state", "findings", "volume_ml", "threshold", "model", "message", "notice")
REPORT = "report.json"


@dataclass
class Item:
    """A scan of a batch: a file, or the id of an image of the server; and what came of it."""

    name: str
    scan: Path | str
    state: str = "waiting"
    findings: int | None = None
    volume_ml: float | None = None
    threshold: float | None = None
    model: str = ""
    message: str = ""

    def done(self, results: Results) -> None:
        """Take what the report says."""
        report = results.report
        self.state, self.message = "done", ""
        self.findings, self.volume_ml = len(report.get("lesions", ())), float(report.get("marked_ml") or 0.0)
        self.threshold, self.model = report.get("threshold", {}).get("value"), str(report.get("model") or "")

    @property
    def folder_name(self) -> str:
        return re.sub(r"[^\w.+-]", "_", self.name)


def scans_in(folder: Path) -> list[Item]:
    """The scans of a folder, by name; two files that differ only in their ending keep it."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and _ending(file.name)]
    stems = [file.name.removesuffix(_ending(file.name)) for file in files]
    return [Item(file.name if stems.count(stem) > 1 else stem, file) for file, stem in zip(files, stems)]


def write_table(items: Sequence[Item], path: Path, notice: str) -> Path:
    """The results as CSV, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for item in items:
            cells = (item.name, item.state, item.findings, item.volume_ml, item.threshold, item.model, item.message, notice)
            writer.writerow(["" if cell is None else cell for cell in cells])
    return path


def _ending(name: str) -> str:
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")
