"""The mask and its lesions at any threshold of an anomaly map, voxel for voxel as the server finds them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from .runs import PaddedVolume, Runs
from .structures import side_and_structure

SMALLEST_LESION_MM3 = 64.0
"""What the server drops: findings smaller than this."""
HEADER_PRECISION = 1e-6
"""How far a volume in mm³ may be off, as a share: NIfTI headers keep the sides of a voxel in single precision."""


@dataclass(frozen=True)
class Lesion:
    """One connected finding, as the server reports it: `number` counts from 1, largest first; extent is that of its box along
    the axes of the scan; `peak` and `mean` are those of the anomaly map in it; side and structure are empty where unknown."""

    number: int
    volume_ml: float
    centroid_ras: tuple[float, float, float]
    extent_mm: tuple[float, float, float]
    peak: float
    mean: float
    side: str
    structure: str

    @property
    def place(self) -> str:
        """Side and structure in words."""
        return " ".join(word for word in (self.side, self.structure) if word not in ("", "both", "middle"))


@dataclass(frozen=True)
class Findings:
    """What is above a threshold, without what is too small; lesions are largest first."""

    threshold: float
    smallest_mm3: float
    lesions: tuple[Lesion, ...]
    _volume: PaddedVolume = field(repr=False, compare=False)
    _runs: Runs = field(repr=False, compare=False)
    _numbers: np.ndarray = field(repr=False, compare=False)

    def mask(self, without: Collection[int] = ()) -> np.ndarray:
        """The mask, uint8 0/1 [K, J, I], without the lesions of these numbers."""
        kept = self._numbers > 0
        if without:
            kept &= ~np.isin(self._numbers, list(without))
        return self._volume.painted(self._runs.positions(kept))

    @property
    def volume_ml(self) -> float:
        """Of all lesions together."""
        return sum(lesion.volume_ml for lesion in self.lesions)


class AnomalyMap:
    """An anomaly map, ready to be thresholded again and again.

    Args:
        values: float32 [K, J, I], as Slicer and SimpleITK give arrays.
        ijk_to_ras: 4 x 4, maps (i, j, k, 1) to millimetres.
        structures: numbers of `structures.NAMES` on the same grid; without them side and structure stay empty.
        lowest: smallest threshold that will be asked for.

    Raises:
        ValueError: the map is no volume, or the structures are on another grid.
    """

    def __init__(self, values: np.ndarray, ijk_to_ras: np.ndarray, structures: np.ndarray | None = None, lowest: float = 0.0) -> None:
        if values.ndim != 3:
            raise ValueError("An anomaly map is a volume.")
        if structures is not None and structures.shape != values.shape:
            raise ValueError("Map and structures have different grids.")
        self.lowest, self.ijk_to_ras = lowest, np.asarray(ijk_to_ras, dtype=float)
        self.spacing = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        self.voxel_mm3 = float(np.prod(self.spacing))
        self._volume = PaddedVolume(values, lowest)
        self._structures = None if structures is None else self._volume.padded(structures, 0, np.uint8)
        finite = self._volume.flat[np.isfinite(self._volume.flat)]
        self.peak = float(finite.max()) if finite.size else 0.0

    def findings(self, threshold: float, smallest_mm3: float = SMALLEST_LESION_MM3) -> Findings:
        """What is above a threshold, without connected findings (26 neighbours) smaller than `smallest_mm3`.

        Raises:
            ValueError: the threshold is below the lowest that this map was prepared for.
        """
        if not threshold >= self.lowest:
            raise ValueError(f"The map was prepared for thresholds from {self.lowest:g}.")
        runs = self._volume.runs_above(threshold)
        sizes = np.bincount(runs.components, weights=runs.lengths, minlength=runs.count)
        order = np.argsort(-sizes, kind="stable")
        order = order[sizes[order] * self.voxel_mm3 >= smallest_mm3 * (1 - HEADER_PRECISION)]
        numbers = np.zeros(runs.count + 1, dtype=np.int64)
        numbers[order] = np.arange(1, order.size + 1)
        numbers = numbers[runs.components]
        lesions = self._measured(runs, numbers, order.size)
        return Findings(threshold, smallest_mm3, lesions, self._volume, runs, numbers)

    def _measured(self, runs: Runs, numbers: np.ndarray, count: int) -> tuple[Lesion, ...]:
        """The lesions 1 … `count`, whose runs carry these numbers; 0 is none."""
        if count == 0:
            return ()
        chosen = numbers > 0
        runs, numbers = Runs(runs.starts[chosen], runs.ends[chosen], runs.components[chosen]), numbers[chosen] - 1
        lengths = runs.lengths
        sizes = _sums(numbers, lengths, count)
        k, j, first_i = self._volume.indices(runs.starts)
        last_i = first_i + lengths - 1
        centres = np.stack([_sums(numbers, lengths * axis, count) / sizes for axis in ((first_i + last_i) / 2, j, k)])
        centroids = self.ijk_to_ras[:3, :3] @ centres + self.ijk_to_ras[:3, 3:]
        low = [_extremes(np.minimum, numbers, axis, count) for axis in (first_i, j, k)]
        high = [_extremes(np.maximum, numbers, axis, count) for axis in (last_i, j, k)]
        extents = (np.stack(high) - np.stack(low) + 1) * self.spacing[:, None]
        means, peaks = self._scores(runs, numbers, sizes)
        places = self._places(runs, numbers, count)
        return tuple(
            Lesion(
                number=index + 1,
                volume_ml=round(float(sizes[index]) * self.voxel_mm3 / 1000, 3),
                centroid_ras=tuple(round(float(value), 1) for value in centroids[:, index]),
                extent_mm=tuple(round(float(value), 1) for value in extents[:, index]),
                peak=round(float(peaks[index]), 4),
                mean=round(float(means[index]), 4),
                side=places[index][0],
                structure=places[index][1],
            )
            for index in range(count)
        )

    def _scores(self, runs: Runs, numbers: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and largest value of the map in each lesion."""
        # From the beginning of each run to its end, and from there to the next, which is left out.
        edges = np.stack([runs.starts, runs.ends], axis=1).ravel()
        sums = np.add.reduceat(self._volume.flat, edges)[::2]
        peaks = np.maximum.reduceat(self._volume.flat, edges)[::2]
        return _sums(numbers, sums, sizes.size) / sizes, _extremes(np.maximum, numbers, peaks, sizes.size)

    def _places(self, runs: Runs, numbers: np.ndarray, count: int) -> list[tuple[str, str]]:
        if self._structures is None:
            return [("", "")] * count
        positions = runs.positions(np.ones(runs.starts.size, dtype=bool))
        pairs = np.repeat(numbers.astype(np.int32) * 256, runs.lengths) + self._structures[positions]
        votes = np.bincount(pairs, minlength=count * 256).reshape(count, 256)
        return [side_and_structure(vote) for vote in votes]


def _sums(numbers: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(numbers, weights=weights, minlength=count)


def _extremes(kind: np.ufunc, numbers: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Least or largest value under each number, each of which has one."""
    order = np.argsort(numbers, kind="stable")
    return kind.reduceat(values[order], np.searchsorted(numbers[order], np.arange(count)))
