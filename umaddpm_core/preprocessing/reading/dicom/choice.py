"""The one series that is meant, of those that lie together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.dicom.headers import Series

FEWEST_SLICES = 3
"""A series with fewer is taken for a localiser."""

ELSEWHERE = (
    "KNEE", "SPINE", "CHEST", "THORAX", "ABDOMEN", "PELVIS", "HIP", "SHOULDER", "ANKLE", "FOOT", "LEG", "ARM", "HAND",
    "WRIST", "ELBOW", "BREAST", "HEART", "LIVER", "PROSTATE", "KIDNEY", "UTERUS", "WHOLEBODY",
)  # fmt: skip
HEAD = ("HEAD", "BRAIN", "SKULL")


def chosen_series(series: Sequence[Series], wanted: str | None, name: str) -> tuple[Series, list[str]]:
    """The series that is wanted, or the only one that can be meant, and a warning where others were passed over.

    Args:
        series: what was found.
        wanted: a series number, UID or exact description; None where the user named none.
        name: what error messages call the place.

    Raises:
        InputError: none, several that could be meant, not MR, or not of the head.
    """
    if wanted is not None:
        fitting = [one for one in series if wanted.strip() in (one.number, one.uid, one.description)]
        if not fitting:
            raise InputError(f"{name} has no series {wanted!r}; it holds {_listed(series)}.")
    else:
        fitting = [one for one in series if one.is_mr]
    volumes = [one for one in fitting if one.slices >= FEWEST_SLICES]
    chosen = fitting if len(fitting) == 1 else volumes
    if not fitting and len(series) == 1:
        fitting = chosen = list(series)
    if not fitting:
        raise InputError(f"{name} holds no MR images; it holds {_listed(series) or 'only a DICOMDIR'}.")
    if len(chosen) != 1:
        raise InputError(f"{name} holds several series; choose one with --series, by number or UID: {_listed(fitting)}.")
    _check(chosen[0], name)
    passed = [one for one in fitting if one is not chosen[0]]
    return chosen[0], [f"{name} also holds {_listed(passed)}, passed over as localisers."] if passed else []


def _check(series: Series, name: str) -> None:
    if series.modality != "MR":
        what = "a CT" if series.modality == "CT" else "not an MR scan"
        raise InputError(f"{name} is {what} (DICOM Modality {series.modality or 'empty'}); give an MR scan.")
    if not series.is_mr:
        raise InputError(f"{name} holds no image, but {series.header.SOPClassUID.name.removesuffix(' Storage')}.")
    part = str(series.header.get("BodyPartExamined") or "").upper().replace(" ", "")
    if any(word in part for word in ELSEWHERE) and not any(word in part for word in HEAD):
        raise InputError(f"{name} shows no head: its DICOM header says {part} (BodyPartExamined).")


def _listed(series: Sequence[Series]) -> str:
    """Series as `3 "T1 AX" (MR, 22 slices)`; by their UID where numbers are missing or not unique."""
    numbers = Counter(one.number for one in series)
    return "; ".join(
        f'{one.number if one.number and numbers[one.number] == 1 else one.uid} "{one.description}" '
        f"({one.modality or 'no modality'}, {one.slices} slice{'s' * (one.slices != 1)})"
        for one in series
    )
