"""Which sequence a scan is, as far as its DICOM tags or its file name tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

T1, T2, FLAIR, PD, ENHANCED_T1 = "T1", "T2", "FLAIR", "PD", "contrast-enhanced T1"

WORDS = {
    T1: {"t1", "t1w", "t1n", "t1pre", "mprage", "bravo"},
    T2: {"t2", "t2w"},
    FLAIR: {"flair", "t2f", "t2flair"},
    PD: {"pd", "pdw"},
    ENHANCED_T1: {"t1c", "t1ce", "t1gd", "t1post"},
}
CONTRAST = {"gd", "gad", "gado", "gadolinium", "ce", "postcontrast", "+c"}
OPERATION = {"op", "operative", "operation", "surgery", "surgical", "treatment", "rt"}
"""After `post`, these speak of something else than a contrast agent."""
NO_CONTRAST = {"", "no", "none", "without", "pre", "precontrast", "native"}
OTHER = {
    "t2*", "t2star", "tof", "mra", "angio", "swi", "swan", "dwi", "adc", "dti", "perf", "perfusion", "dce", "dsc", "bold",
    "fmri", "stir", "star",
}  # fmt: skip
"""Words of sequences that none of the modalities is, although their times may look alike."""


def modality_from_name(name: str) -> str | None:
    """The one modality that the words of a file name speak of, or None where they name none or several."""
    words = _words(name)
    named = _named(words)
    if words & OTHER:
        return None
    after = re.search(r"t1w?[^a-z0-9]post(?![a-z0-9])", name.lower()) and not words & OPERATION
    if named == {T1} and (words & CONTRAST or after):
        return ENHANCED_T1
    return next(iter(named)) if len(named) == 1 else None


def modality_from_tags(tags: Mapping[str, str]) -> str | None:
    """The modality that DICOM tags speak of, or None where they do not tell, or description and times disagree.

    Args:
        tags: text by DICOM keyword; times in ms.
    """
    words = _words(tags.get("SeriesDescription", ""))
    protocol = _words(tags.get("ProtocolName", ""))
    named = _named(words) or _named(protocol)
    if (words or protocol) & OTHER:
        return None
    enhanced = contrast_given(tags) or ENHANCED_T1 in named
    weightings = {T1 if one == ENHANCED_T1 else one for one in named}
    if timed := _from_times(tags):
        weightings = weightings & {timed} if weightings else {timed}
    if len(weightings) != 1 or (T1 in weightings and enhanced and words & NO_CONTRAST):
        return None
    return ENHANCED_T1 if T1 in weightings and enhanced else weightings.pop()


def contrast_given(tags: Mapping[str, str]) -> bool:
    """Whether DICOM tags say that a contrast agent was given: they name one, or the description does."""
    if tags.get("ContrastBolusAgent", "").lower() not in NO_CONTRAST:
        return True
    words = _words(tags.get("SeriesDescription", ""))
    return bool(words & CONTRAST) or ("post" in words and not words & OPERATION)


def _words(text: str) -> set[str]:
    return set(re.findall(r"t2\*|\+c\b|[a-z0-9]+", text.lower()))


def _named(words: set[str]) -> set[str]:
    named = {modality for modality, signs in WORDS.items() if words & signs}
    # A T2 FLAIR is a FLAIR; a T1 FLAIR remains two words.
    return named - {T2} if FLAIR in named else named


def _from_times(tags: Mapping[str, str]) -> str | None:
    """By the usual ranges of repetition, echo and inversion time at 1.5 and 3 T; what lies between them stays unknown.

    | | repetition | echo | inversion |
    |---|---|---|---|
    | FLAIR | | ≥ 60 | ≥ 1500 |
    | T1, inversion recovery | | ≤ 40 | 400–1500 |
    | T1, spoiled gradient echo | ≤ 350, or with an inversion of 400–1300 | ≤ 8 | |
    | T1, spin echo | ≤ 1000 | ≤ 30 | none |
    | T2, spin echo | ≥ 2000 | ≥ 70 | none |
    | PD, spin echo | ≥ 2000 | ≤ 40 | none |
    """
    sequence, variant = (set(tags.get(keyword, "").upper().split("\\")) for keyword in ("ScanningSequence", "SequenceVariant"))
    repetition, echo, inversion = (_number(tags.get(k)) for k in ("RepetitionTime", "EchoTime", "InversionTime"))
    if not echo or not repetition or "EP" in sequence:
        return None
    if inversion >= 1500 and echo >= 60:
        return FLAIR
    if "GR" in sequence:
        balanced = "SS" in variant and "SP" not in variant
        return T1 if echo <= 8 and not balanced and (repetition <= 350 or 400 <= inversion <= 1300) else None
    if not sequence & {"SE", "IR"}:
        return None
    if inversion:
        return T1 if 400 <= inversion < 1500 and echo <= 40 else None
    if repetition <= 1000 and echo <= 30:
        return T1
    if repetition >= 2000:
        return T2 if echo >= 70 else PD if echo <= 40 else None
    return None


def _number(text: str | None) -> float:
    """The first of the numbers in a tag; 0 where there is none."""
    try:
        return float((text or "").split("\\")[0])
    except ValueError:
        return 0.0
