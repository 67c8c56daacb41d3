"""Whether a retrained model may take the place of the one in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from umaddpm_core.evaluation.statistics import bootstrap_interval, by_subject

MARGIN = 0.02
"""A figure may be worse by less than this."""
FIGURES = {"dice": 1, "average_precision": 1, "findings": -1}
"""What is compared, and whether more is better: Dice and average precision of painted lesions, and the share of healthy scans
with a finding."""


@dataclass(frozen=True)
class Comparison:
    """One figure of both models over the same people: means, and the mean gain with its 95 % interval, in whose terms more is
    better."""

    figure: str
    candidate: float
    in_use: float
    gain: float
    low: float
    high: float

    @property
    def not_worse(self) -> bool:
        """Whether the whole interval lies above the margin."""
        return self.low >= -MARGIN


@dataclass(frozen=True)
class Judgement:
    """The comparisons by sequence, the sequences that only the model in use knows, and whether all of that allows to publish."""

    comparisons: dict[str, list[Comparison]]
    lost: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return bool(self.comparisons) and not self.reasons()

    def reasons(self) -> list[str]:
        """One sentence for everything that stands against it."""
        lost = [f"{modality}: the model in use knows this sequence, and the new one does not." for modality in self.lost]
        return lost + [
            f"{modality}: {one.figure.replace('_', ' ')} may be worse than now by {-one.low:.3f} ({one.candidate:.3f} against {one.in_use:.3f}); "
            f"{MARGIN} is allowed."
            for modality, some in self.comparisons.items()
            for one in some
            if not one.not_worse
        ]

    def as_dict(self) -> dict[str, Any]:
        told = {modality: [{**asdict(one), "not_worse": one.not_worse} for one in some] for modality, some in self.comparisons.items()}
        return {"passed": self.passed, "margin": MARGIN, "comparisons": told, "lost": list(self.lost)}


def compared(candidate: Sequence[Mapping[str, Any]], in_use: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    """Every figure of two models, person by person, by a paired bootstrap.

    Args:
        candidate, in_use: what `healthy_test` returns for the same people and lesions.

    Raises:
        ValueError: the people differ.
    """
    found = []
    for figure, sign in FIGURES.items():
        ours, theirs = (_by_person(rows, figure) for rows in (candidate, in_use))
        if ours.keys() != theirs.keys():
            raise ValueError("The two models were not tested on the same people.")
        gains = [sign * (ours[person] - theirs[person]) for person in ours]
        low, high = bootstrap_interval(gains) if len(set(gains)) > 1 else (gains[0], gains[0])
        means = (float(np.mean(list(values.values()))) for values in (ours, theirs))
        found.append(Comparison(figure, *means, float(np.mean(gains)), low, high))
    return found


def _by_person(rows: Sequence[Mapping[str, Any]], figure: str) -> dict[str, float]:
    if figure == "findings":
        having = [(row["subject"], float(row["marked_share"] > 0)) for row in rows if "marked_share" in row]
    else:
        having = [(row["subject"], row[figure]) for row in rows if figure in row]
    return by_subject(*zip(*having))
