"""The thresholds that were found by measurement, and what each means in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .translation import _


@dataclass(frozen=True)
class Calibration:
    """A named threshold; of healthy scans, `healthy_share` (0–1) show a finding at it and `healthy_median_ml` is what it marks
    in the median, both None where the server does not say."""

    name: str
    value: float
    found: str = ""
    healthy_share: float | None = None
    healthy_median_ml: float | None = None

    @property
    def title(self) -> str:
        """A short name for a list."""
        return {
            "healthy_fpr_1": _("about 1 % of healthy voxels"),
            "healthy_scans_10": _("at most one in ten healthy scans"),
            "synthetic_dice": _("best on painted lesions"),
            "lesion_dice": _("best on labeled cases"),
        }.get(self.name, self.name)

    @property
    def meaning(self) -> str:
        """How it was found, and what it costs on healthy scans."""
        sentences = [f"{self.found[:1].upper()}{self.found[1:]}."] if self.found else []
        if self.healthy_share is not None:
            sentences.append(_("{share} healthy scans show a finding at it").format(share=_of_ten(self.healthy_share)))
            if self.healthy_median_ml:
                sentences[-1] += _(", in the median {volume:.1f} ml").format(volume=self.healthy_median_ml)
            sentences[-1] = f"{sentences[-1][:1].upper()}{sentences[-1][1:]}."
        return " ".join(sentences)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Calibration:
        """Read what the server says of a threshold."""
        share, median = entry.get("healthy_scans_with_findings"), entry.get("healthy_median_ml")
        return cls(str(entry["name"]), float(entry["value"]), str(entry.get("found") or ""), share, median)


def calibrations(report: Mapping[str, Any], models: Iterable[Mapping[str, Any]] = ()) -> tuple[Calibration, ...]:
    """The calibrations that belong to a result: those of its model, sequence, and score, its own first.

    Args:
        report: of the detection.
        models: as the server describes them; without them only the threshold of the detection itself is known.
    """
    own = report.get("threshold", {})
    known = [Calibration.of(own)] if own.get("name") not in (None, "user") else []
    for model in models:
        if model.get("weights") == report.get("weights"):
            of_sequence = model.get("thresholds", {}).get(report.get("modality"), {}).get("calibrated", {})
            entries = [{"name": name, **entry} for name, entry in of_sequence.items()]
            # A value belongs to the score that it was found for.
            fitting = [Calibration.of(entry) for entry in entries if entry.get("score") == own.get("score")]
            known += [one for one in fitting if one.name not in {other.name for other in known}]
    return tuple(known)


def _of_ten(share: float) -> str:
    """A share of healthy scans, as so many of ten."""
    if share == 0:
        return _("none of ten")
    if share < 0.1:
        return _("fewer than one of ten")
    return _("all") if share == 1 else _("about {number} of ten").format(number=min(round(10 * share), 9))
