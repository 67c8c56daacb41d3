"""Who trains, who validates, who is tested: by person, fixed by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from umaddpm_core.data.cohorts.scan import Scan

PARTS = ("training", "validation", "test")
SHARES = (8, 1, 1)

DEVELOPMENT = "development"
"""The part of a labelled cohort on which thresholds may be chosen; the rest is its test part."""

LABELLED_PARTS = (DEVELOPMENT, "test")

DEVELOPMENT_SHARES = {"brats": 100 / 1251, "mslub": 10 / 30, "lgg": 15 / 50}
"""As in the paper's ancestors, and for LGG as in this project's tables."""
DEVELOPMENT_SHARE = 0.3

FEW = 80
"""Of fewer people with several sequences, a tenth would be too few to measure anything."""


def hash_order(subjects: Iterable[str], seed: int = 0) -> list[str]:
    """Subjects in the order of a seeded hash of their names: the same everywhere, unrelated to scanner or date."""
    return sorted(subjects, key=lambda subject: hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest())


def healthy_split(
    modalities: Mapping[str, Collection[str]], labelled: Collection[str] = (), seed: int = 0
) -> dict[str, str]:
    """Part of every subject, 8:1:1 within each group of people who have the same sequences.

    Args:
        modalities: the sequences each subject has.
        labelled: subjects with tissue labels; of those with more than one sequence, they go to the test part first.
        seed: of the hash.

    Returns:
        `training`, `validation` or `test` by subject. Of 24 people with T1 and T2: 16, 3 and 5, and likewise in every
        group of fewer than `FEW` with several sequences.
    """
    parts: dict[str, str] = {}
    groups: dict[tuple[str, ...], list[str]] = {}
    for subject, sequences in modalities.items():
        groups.setdefault(tuple(sorted(sequences)), []).append(subject)
    for sequences, group in sorted(groups.items()):
        order = hash_order(group, seed)
        several = len(sequences) > 1
        if several:
            order.sort(key=lambda subject: subject not in labelled)
        few = several and len(order) < FEW
        tested = round(len(order) * (0.2 if few else SHARES[2] / sum(SHARES)))
        validated = round(len(order) * (0.125 if few else SHARES[1] / sum(SHARES)))
        for position, subject in enumerate(order):
            parts[subject] = PARTS[2] if position < tested else PARTS[1] if position < tested + validated else PARTS[0]
    return parts


def sequences_by_subject(scans: Iterable[Scan]) -> dict[str, set[str]]:
    """The modalities each person has."""
    sequences: dict[str, set[str]] = {}
    for scan in scans:
        sequences.setdefault(scan.subject, set()).add(scan.modality)
    return sequences


def lesion_split(subjects: Iterable[str], development: int = 15, seed: int = 0) -> dict[str, str]:
    """`development` for the first so many subjects in hash order, `test` for the others."""
    return {s: DEVELOPMENT if i < development else "test" for i, s in enumerate(hash_order(subjects, seed))}


def cohort_parts(
    scans: Sequence[Scan], layout: str, labelled: Collection[str] = (), kept: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Part of every person of a cohort, the same for all scans of that person.

    Args:
        scans: all of the cohort, whether they are used or not.
        layout: of the cohort; BraTS, MSLUB and LGG have shares of their own.
        labelled: as in `healthy_split`.
        kept: what was decided before; a person stays where they are.

    Returns:
        What the scan says itself, else what is kept, else the hash: healthy people by `healthy_split`, all others by
        `lesion_split`, never into the training part.
    """
    patients = {scan.subject for scan in scans if not scan.healthy}
    decided = {subject: part for subject, part in (kept or {}).items() if subject not in patients or part in LABELLED_PARTS}
    decided.update({scan.subject: scan.part for scan in scans if scan.part})
    open_scans = [scan for scan in scans if scan.subject not in decided]
    ill = {scan.subject for scan in open_scans} & patients
    development = round(DEVELOPMENT_SHARES.get(layout, DEVELOPMENT_SHARE) * len(ill))
    hashed = healthy_split(sequences_by_subject(scan for scan in open_scans if scan.subject not in ill), labelled)
    hashed.update(lesion_split(ill, development))
    return {scan.subject: decided.get(scan.subject) or hashed[scan.subject] for scan in scans}
