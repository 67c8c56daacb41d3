"""Which sequence a scan is, as far as its file name tells."""

from __future__ import annotations

import re

WORDS = {
    "T1": {"t1", "t1w", "t1n", "t1pre"},
    "T2": {"t2", "t2w"},
    "FLAIR": {"flair", "t2f"},
    "contrast-enhanced T1": {"t1c", "t1ce", "t1gd", "t1post"},
}


def modality_from_name(name: str) -> str | None:
    """The one modality that the words of a file name speak of, or None where they name none or several."""
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    named = [modality for modality, signs in WORDS.items() if words & signs]
    return named[0] if len(named) == 1 else None
