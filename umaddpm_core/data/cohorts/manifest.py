"""A cohort listed in a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from umaddpm_core.data.cohorts.scan import LABEL, MODALITIES, Scan
from umaddpm_core.data.splits import DEVELOPMENT, LABELLED_PARTS, PARTS
from umaddpm_core.errors import InputError

REQUIRED = ("path", "subject", "modality")
OPTIONAL = ("session", "lesions", "brain", "part")


@dataclass(frozen=True)
class _Row:
    """One line of the file, and where it stands."""

    file: Path
    line: int
    cells: dict[str, str]

    def wrong(self, what: str) -> InputError:
        return InputError(f"{self.file.name}, line {self.line}: {what}.")

    def label(self, column: str) -> str:
        value = self.cells[column]
        if not LABEL.fullmatch(value):
            raise self.wrong(
                f"the {column} {value!r} may have letters, digits, dots, dashes, plus signs and underscores only"
                if value
                else f"there is no {column}"
            )
        return value

    def existing(self, column: str) -> Path | None:
        value = self.cells.get(column)
        if not value:
            return None
        path = self.file.parent / value
        if not path.exists():
            raise self.wrong(f"there is no file {path}")
        return path

    def scan(self) -> Scan:
        path = self.existing("path")
        if path is None:
            raise self.wrong("there is no path")
        part = self.cells.get("part") or None
        if part not in (None, *PARTS, DEVELOPMENT):
            raise self.wrong(f"there is no part {part!r}; parts are {', '.join((*PARTS, DEVELOPMENT))}")
        lesions = self.existing("lesions")
        modality = self.label("modality")
        return Scan(
            subject=self.label("subject"),
            modality=next((one for one in MODALITIES if one.lower() == modality.lower()), modality),
            path=path,
            lesions=lesions,
            session=self.label("session") if self.cells.get("session") else None,
            brain=self.existing("brain"),
            part=part,
            healthy=lesions is None,
        )


def manifest(file: Path) -> list[Scan]:
    """The scans of a CSV file with the columns `path`, `subject`, `modality` and, if wanted, `session`, `lesions`, `brain`
    and `part`; paths count from the file's folder.

    Raises:
        InputError: no such columns, and in which line: a missing file, a name that cannot be one, a scan listed twice, a
            person in two parts, or a person with lesions in the training part.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            table = csv.DictReader(opened, skipinitialspace=True)
            columns = [column.strip() for column in table.fieldnames or ()]
            table.fieldnames = columns
            rows = [_Row(file, table.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as a CSV manifest ({error}).") from error
    if missing := [column for column in REQUIRED if column not in columns]:
        raise InputError(f"{file.name} has no column {' and '.join(missing)}; it needs {', '.join(REQUIRED)}.")
    if strange := [column for column in columns if column not in REQUIRED + OPTIONAL]:
        raise InputError(f"{file.name} has a column {strange[0]!r} that means nothing here; columns are {', '.join(REQUIRED + OPTIONAL)}.")
    if not rows:
        raise InputError(f"{file.name} lists no scans.")
    scans = [row.scan() for row in rows]
    patients = {scan.subject for scan in scans if not scan.healthy}
    first: dict[object, int] = {}
    parts: dict[str, str] = {}
    for row, scan in zip(rows, scans):
        for key in (scan.name, scan.path.resolve()):
            if first.setdefault(key, row.line) != row.line:
                raise row.wrong(f"{scan.name} ({scan.path.name}) is already in line {first[key]}; name sessions to keep two scans")
        if scan.part and parts.setdefault(scan.subject, scan.part) != scan.part:
            raise row.wrong(f"{scan.subject} is in the parts {parts[scan.subject]} and {scan.part}; a person is in one")
        if scan.subject in patients and scan.part not in (None, *LABELLED_PARTS):
            raise row.wrong(f"{scan.subject} has lesions, so the part is {' or '.join(LABELLED_PARTS)}, not {scan.part}")
    return sorted((replace(scan, healthy=scan.subject not in patients) for scan in scans), key=lambda scan: scan.name)
