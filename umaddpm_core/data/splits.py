"""Who trains, who validates, who is tested: by person, fixed by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

PARTS = ("training", "validation", "test")
SHARES = (8, 1, 1)


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
        `training`, `validation` or `test` by subject. Of 24 people with T1 and T2: 16, 3 and 5, because a tenth
        of so few would be too few to measure anything.
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
        tested = round(len(order) * (0.2 if several else SHARES[2] / sum(SHARES)))
        validated = round(len(order) * (0.125 if several else SHARES[1] / sum(SHARES)))
        for position, subject in enumerate(order):
            parts[subject] = PARTS[2] if position < tested else PARTS[1] if position < tested + validated else PARTS[0]
    return parts


def lesion_split(subjects: Iterable[str], development: int = 15, seed: int = 0) -> dict[str, str]:
    """`development` for the first so many subjects in hash order, `test` for the others."""
    return {s: "development" if i < development else "test" for i, s in enumerate(hash_order(subjects, seed))}
