"""How the grey values of a brain are spread, beside those of the people a model was trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

BINS = 32


def histogram(volume: Tensor, brain: Tensor) -> np.ndarray:
    """Share of the brain's voxels by intensity: float64 [32] from dark to bright, sum 1.

    Args:
        volume: prepared, in [0, 1].
        brain: boolean, same shape, not empty.
    """
    counts = np.histogram(volume[brain].numpy(), bins=BINS, range=(0.0, 1.0))[0]
    return counts / counts.sum()


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """How far intensities have to be moved on average to make one histogram the other (1-Wasserstein distance), 0–1."""
    return float(np.abs(np.cumsum(first - second)).mean())


@dataclass(frozen=True)
class Cohort:
    """The grey values of healthy people.

    Attributes:
        histogram: mean over the people a model was trained on, [32].
        median, largest: distance to it of people it was not trained on.
    """

    histogram: np.ndarray
    median: float
    largest: float

    @classmethod
    def of(cls, training: Iterable[np.ndarray], validation: Iterable[np.ndarray]) -> Cohort:
        """From the histograms of both; neither may be empty."""
        mean = np.mean(list(training), axis=0)
        distances = [distance(one, mean) for one in validation]
        return cls(mean, float(np.median(distances)), max(distances))

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> Cohort:
        """The inverse of `as_dict`, but for rounding."""
        return cls(np.array(entry["histogram"]), **entry["distance"])

    def as_dict(self) -> dict[str, Any]:
        """For the calibration of a model file."""
        return {
            "histogram": [round(share, 5) for share in self.histogram.tolist()],
            "distance": {"median": round(self.median, 5), "largest": round(self.largest, 5)},
        }
