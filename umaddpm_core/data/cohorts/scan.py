"""One scan of a cohort: whose it is, and which files belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.errors import InputError

MODALITIES = ("T1", "T2")
"""Sequences there are models for; others are listed by a cohort and left out unless they are asked for."""

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""What a subject, session or modality may be called, because files are named after them."""


@dataclass(frozen=True)
class Scan:
    """One scan of one person.

    Attributes:
        subject: the person, the same for all scans of that person.
        modality: `T1` or `T2`; others are `T1c` (contrast-enhanced), `FLAIR` and so on.
        path: a file, a DICOM folder, or one file of a DICOM series.
        lesions: mask on the scan's grid: 0.5 and above is lesion.
        session: what tells apart several scans of one sequence.
        brain: brain mask on the scan's grid.
        part: of the split, where the user says so.
        healthy: False for a patient, also where there is no mask.
    """

    subject: str
    modality: str
    path: Path
    lesions: Path | None = None
    session: str | None = None
    brain: Path | None = None
    part: str | None = None
    healthy: bool = True

    @property
    def name(self) -> str:
        return "-".join(word for word in (self.subject, self.session, self.modality) if word)


def listed(scans: Sequence[Scan], folder: Path, wanted: str) -> list[Scan]:
    """The scans sorted by name.

    Args:
        wanted: what was looked for in `folder`, with an example.

    Raises:
        InputError: none.
    """
    if not scans:
        raise InputError(f"{folder} holds no {wanted}.")
    return sorted(scans, key=lambda scan: (scan.name, scan.path))


def check_distinct(scans: Iterable[Scan]) -> None:
    """Refuse a list in which one person has the same sequence of one session twice.

    Raises:
        InputError: with both paths.
    """
    paths: dict[str, Path] = {}
    for scan in scans:
        if (first := paths.setdefault(scan.name, scan.path)) != scan.path:
            raise InputError(
                f"{scan.name} is there twice, as {first} and {scan.path}; leave one out, or name sessions in a CSV manifest."
            )
