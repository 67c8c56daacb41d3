"""The verdict on a scan: can the model judge it, and what was it not made for?

The bounds come from scans prepared as shipped: T1 of 40 healthy people not trained on (IXI), of 50 glioma patients with
thick slices (TCGA-LGG) and of 7 more cases from other scanners; against them T2 and FLAIR scans, inverted T1 scans and
made phantoms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from umaddpm_core.preprocessing.quality.intensity import Cohort, distance
from umaddpm_core.preprocessing.quality.report import QualityReport, Verdict
from umaddpm_core.preprocessing.reading.modality import T1, T2, contrast_given

ADULT_YEARS = 18
"""The people trained on (IXI) are 20–86 years old."""
THICKEST_MM = 5.0
"""Between slices; a lesion of 5 ml is 21 mm wide, so four slices show it."""
LEAST_IN_VIEW: dict[Verdict, float] = {"check": 0.9, "reject": 0.6}
"""Share of the template's brain in the field of view: a head scan shows all of it."""
BRAIN_ML = 1000.0, 1900.0
"""Healthy adults (IXI, 183 people): 1159–1739 ml."""

LOWEST_OVERLAP = 0.9
"""Registered scans of brains: 0.909 and more; made limbs: 0.88."""
LOWEST_INFORMATION = 0.05
"""With a low overlap, and less than this in common with the template (nats), it is no brain: made limbs 0.02."""
DIRECTION = {T1: 1.0, T2: -1.0}
"""Sign of a scan's correlation with the T1 template."""
LOWEST_LIKENESS: dict[Verdict, float] = {"check": 0.1, "reject": -0.05}
"""Along that direction. T1 scans: 0.19 and more, also of patients and with strong shading; T2 and FLAIR scans taken for T1:
below −0.1, but for a T1-like FLAIR."""

LEAST_DETAIL: dict[Verdict, float] = {"check": 0.33, "reject": 0.28}
"""Brains, T1 and T2: 0.34–0.49; ellipsoids of two layers: 0.22; inverted scans with their background: 0.21–0.25."""
UNUSUAL_DISTANCE = 1.5
"""Times the largest distance on validation scans."""
FARTHEST = 0.21
"""Intensity distance: T1 scans up to 0.17, T2 scans taken for T1 0.28–0.40, inverted T1 scans 0.27–0.32."""
CAVITY_ML = 5.0
"""Healthy people: 0.0 in all 40; glioma patients: 3 of 52 above, with cysts. Of balls of fluid painted into healthy
scans, 72 % of those of 12 ml are found, 86 % of 20 ml, 98 % of 40 ml."""

LOOK = "look at the overview before you believe a mask"
Reasons = Iterator[tuple[Verdict, str]]


def assess(
    figures: Mapping[str, Any],
    modality: str,
    *,
    source: str = "user",
    said: str | None = None,
    tags: Mapping[str, str] | None = None,
    histogram: np.ndarray | None = None,
    cohort: Cohort | None = None,
) -> QualityReport:
    """Judge a prepared scan.

    Args:
        figures: `PreparedScan.quality`.
        modality: as which the scan is examined.
        source: who says so: the `user`, the `scan` (its header or name), or nobody (`assumed`).
        said: modality by header or name, where they tell.
        tags: of the DICOM header.
        histogram: of the prepared scan.
        cohort: grey values of the people the model was trained on; None where the model does not carry them.
    """
    measured = {name: value for name, value in figures.items() if name != "warnings"}
    found = [
        *_of_intensities(measured, modality, histogram, cohort),
        *_of_alignment(measured, modality),
        *_of_coverage(measured),
        *_of_the_sequence(modality, source, said, tags or {}),
        *_of_the_person(measured, modality, tags or {}),
        *(("check", warning) for warning in figures["warnings"]),
    ]
    rejecting, checking = ([sentence for verdict, sentence in found if verdict == v] for v in ("reject", "check"))
    verdict: Verdict = "reject" if rejecting else "check" if checking else "ok"
    return QualityReport(verdict, (*rejecting, *checking), measured)


def _of_intensities(figures: dict[str, Any], modality: str, histogram: np.ndarray | None, cohort: Cohort | None) -> Reasons:
    if histogram is not None and cohort is not None:
        far = figures["intensity_distance"] = round(distance(histogram, cohort.histogram), 3)
        usual = UNUSUAL_DISTANCE * cohort.largest
        beside = f"distance {far:.2f} from those of the people the model was trained on, usually up to {usual:.2f}"
        if far > FARTHEST:
            yield "reject", f"The grey values are not those of a {modality} scan ({beside}): it is another sequence, or inverted."
        elif far > usual:
            yield (
                "check",
                f"The grey values are unusual ({beside}), as with another scanner, another sequence or a contrast agent: {LOOK}.",
            )
    share = figures["detail"]
    if verdict := _below(share, LEAST_DETAIL):
        least = f"{share:.0%} of its contrast is fine structure, in brains at least {LEAST_DETAIL['check']:.0%}"
        advice = "it may be a phantom, or inverted" if verdict == "reject" else f"it may be blurred or smoothed; {LOOK}"
        yield verdict, f"The picture lacks the folds of a brain ({least}): {advice}."


def _of_alignment(figures: dict[str, Any], modality: str) -> Reasons:
    overlap, information = figures["registration_overlap"], figures["registration_information"]
    low = figures["registration"] == "registered" and overlap < LOWEST_OVERLAP
    if low and information < LOWEST_INFORMATION:
        yield (
            "reject",
            f"What was found has neither the shape nor the inside of a brain (overlap with the template {overlap:.2f}, at "
            f"least {LOWEST_OVERLAP} is usual; mutual information {information:.3f}, at least {LOWEST_INFORMATION} is usual): "
            "it may be another part of the body.",
        )
    elif low:
        yield "check", f"The brain lies badly on the template (overlap {overlap:.2f}, usually at least {LOWEST_OVERLAP}): {LOOK}."
    along = DIRECTION.get(modality, 0.0) * figures["likeness"]
    if modality in DIRECTION and (verdict := _below(along, LOWEST_LIKENESS)):
        beside = f"correlation {along:.2f} with what is expected, usually at least {LOWEST_LIKENESS['check']}"
        advice = "it is inverted, or another sequence" if verdict == "reject" else f"check the sequence, and {LOOK}"
        yield verdict, f"Bright and dark tissue do not lie where a {modality} scan has them ({beside}): {advice}."


def _of_coverage(figures: dict[str, Any]) -> Reasons:
    view, thickness = figures["brain_in_view"], figures["thickest_spacing_mm"]
    if verdict := _below(view, LEAST_IN_VIEW):
        yield verdict, f"The scan shows only {view:.0%} of the brain, and the model was made for whole heads: the rest was not examined."
    if thickness > THICKEST_MM:
        yield "check", f"The slices are {thickness:.1f} mm apart, and usual are up to {THICKEST_MM:g} mm: small lesions can be missed."


def _of_the_sequence(modality: str, source: str, said: str | None, tags: Mapping[str, str]) -> Reasons:
    if said is not None and said != modality:
        yield "check", f"Header or name say {said}, and the scan was examined as {modality}: make sure that this is right."
    elif modality == T1 and contrast_given(tags):
        yield "check", f"The header says that a contrast agent was given, and the model was made for scans without: {LOOK}."
    if source == "assumed":
        yield "check", f"Neither header nor name say which sequence this is; it was examined as {modality}: name the modality."


def _of_the_person(figures: dict[str, Any], modality: str, tags: Mapping[str, str]) -> Reasons:
    years = _years(tags.get("PatientAge", ""))
    if years is not None and years < ADULT_YEARS:
        yield "check", f"The patient is {years:.0f} years old, and the model has seen adults only: {LOOK}."
    whole = figures["brain_ml"] / max(figures["brain_in_view"], LEAST_IN_VIEW["reject"])
    smallest, largest = BRAIN_ML
    if not smallest <= whole <= largest:
        yield (
            "check",
            f"The brain measures {whole:.0f} ml, and that of an adult {smallest:.0f}–{largest:.0f} ml: see in the overview whether "
            "its outline is right; the model was not made for children.",
        )
    if modality == T1 and figures["cavity_ml"] > CAVITY_ML:
        yield (
            "check",
            f"There is fluid where a brain has none ({figures['cavity_ml']:.0f} ml, usually below {CAVITY_ML:.0f} ml), as after an "
            "operation or in a cyst: the model was made for neither and marks it.",
        )


def _below(value: float, bounds: Mapping[Verdict, float]) -> Verdict | None:
    """The verdict on a value that should not be small."""
    return "reject" if value < bounds["reject"] else "check" if value < bounds["check"] else None


def _years(age: str) -> float | None:
    """From DICOM's way of writing an age: `045Y`, `018M`, `006W`, `010D`."""
    parts = re.fullmatch(r"(\d{1,3})([DWMY])", age.strip().upper())
    return int(parts[1]) / {"D": 365.25, "W": 52.2, "M": 12, "Y": 1}[parts[2]] if parts else None
