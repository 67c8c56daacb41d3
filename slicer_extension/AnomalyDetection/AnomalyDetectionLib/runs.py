"""What hangs together in a volume above a threshold, found from runs of voxels instead of from voxels.

A map of a scan has millions of voxels above a low threshold, and some ten thousand runs of them along its rows. Only the runs
are compared with each other, which is what lets a slider move the threshold while one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Runs:
    """Runs of voxels in the order of the volume, at positions of the padded rows of `PaddedVolume`.

    Attributes:
        starts, ends: first position of each run, and the one after its last.
        components: of each run, from 0, in the order of their first voxels.
    """

    starts: np.ndarray
    ends: np.ndarray
    components: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        return self.ends - self.starts

    @property
    def count(self) -> int:
        """How many components there are."""
        return int(self.components.max()) + 1 if self.components.size else 0

    def positions(self, chosen: np.ndarray) -> np.ndarray:
        """Every position of the chosen runs (boolean, one for each run)."""
        lengths = self.lengths[chosen]
        return _counted(lengths) + np.repeat(self.starts[chosen], lengths)


class PaddedVolume:
    """A volume [K, J, I] whose part above the lowest threshold lies flat in memory, a gap beside every row and every slice.

    Args:
        values: any numbers; what is not a number is nowhere above a threshold.
        lowest: smallest threshold that will be asked for.
    """

    def __init__(self, values: np.ndarray, lowest: float) -> None:
        inside = values > lowest
        self.shape = values.shape
        self.corner = np.zeros(3, dtype=np.int64)
        sides = [np.flatnonzero(inside.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
        self.empty = sides[0].size == 0
        self.box = tuple(slice(0, 0) if self.empty else slice(int(side[0]), int(side[-1]) + 1) for side in sides)
        self.corner = np.array([side.start for side in self.box])
        part = values[self.box]
        self.width, self.rows = part.shape[2] + 2, part.shape[1] + 1
        self.flat = self.padded(values, -np.inf, np.float32)
        self._slice_peaks = part.max(axis=(1, 2), initial=-np.inf) if not self.empty else np.zeros(0)

    def padded(self, values: np.ndarray, gap: float, kind: type) -> np.ndarray:
        """The same part of another volume of the same shape, likewise flat with gaps."""
        part = values[self.box]
        padded = np.full((part.shape[0], self.rows, self.width), gap, dtype=kind)
        padded[:, : part.shape[1], 1:-1] = part
        return padded.ravel()

    def runs_above(self, threshold: float) -> Runs:
        """Runs of voxels above a threshold, and which of them hang together (26 neighbours)."""
        slices = np.flatnonzero(self._slice_peaks > threshold)
        if slices.size == 0:
            nothing = np.zeros(0, dtype=np.int32)
            return Runs(nothing, nothing, nothing)
        layer = self.rows * self.width
        first = int(slices[0]) * layer
        above = self.flat[first : (int(slices[-1]) + 1) * layer] > np.float32(threshold)
        # Half as wide as usual, twice as fast.
        changes = np.flatnonzero(above[1:] != above[:-1]).astype(np.int32) + np.int32(1 + first)
        starts, ends = changes[0::2], changes[1::2]
        return Runs(starts, ends, self._components(starts, ends))

    def indices(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """K, J and I in the whole volume."""
        row, column = np.divmod(positions, self.width)
        layer, row = np.divmod(row, self.rows)
        return layer + self.corner[0], row + self.corner[1], column - 1 + self.corner[2]

    def painted(self, positions: np.ndarray) -> np.ndarray:
        """A mask of the whole volume, uint8, 1 at these positions."""
        flat = np.zeros(self.flat.size, dtype=np.uint8)
        flat[positions] = 1
        mask = np.zeros(self.shape, dtype=np.uint8)
        if not self.empty:
            mask[self.box] = flat.reshape(-1, self.rows, self.width)[:, :-1, 1:-1]
        return mask

    def _components(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Number of the component of each run: two runs of neighbouring rows touch where they overlap or meet at a corner."""
        froms, tos = [], []
        every = np.arange(starts.size, dtype=np.int32)
        layer = self.rows * self.width
        for offset in map(np.int32, (self.width, layer - self.width, layer, layer + self.width)):
            first = np.searchsorted(ends, starts + offset, "left").astype(np.int32)
            touching = np.searchsorted(starts, ends + offset, "right").astype(np.int32) - first
            froms.append(np.repeat(every, touching))
            tos.append(_counted(touching) + np.repeat(first, touching))
        edges = np.concatenate(froms), np.concatenate(tos)
        graph = coo_matrix((np.ones(edges[0].size, dtype=np.int8), edges), shape=(starts.size, starts.size))
        return connected_components(graph, directed=False)[1]


def _counted(lengths: np.ndarray) -> np.ndarray:
    """0, 1, … for every length, one after the other."""
    begins = np.cumsum(lengths, dtype=np.int32) - lengths
    return np.arange(lengths.sum(), dtype=np.int32) - np.repeat(begins, lengths)
