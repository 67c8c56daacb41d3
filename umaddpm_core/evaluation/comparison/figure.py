"""A figure like the paper's Fig. 4: a row for every case, and for every method reconstruction, map and mask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from umaddpm_core.data.replacing import replacing
from umaddpm_core.detection.detection import NOTICE
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.comparison.pictures import Picture, pictured_slice

INK, BACKGROUND, TRUTH, FOUND = "white", "black", "#ffd23f", "#ff3b6b"
WIDE, HIGH = 1.25, 1.5
"""Inches of a picture."""
MARGIN = 3
"""Pixels left around the brain."""


def draw(path: Path, cases: Sequence[Case], methods: dict[str, Sequence[Picture]]) -> None:
    """Write a PNG: scan with the truth outlined, then by method reconstruction and map, the mask outlined on the map.

    Args:
        cases: each shown in the slice with the largest lesion.
        methods: by name the picture of every case.
    """
    rows, columns = 2 * len(cases), 1 + len(methods)
    height = rows * HIGH + 0.5
    figure = Figure(figsize=(columns * WIDE, height), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.02})
    figure.subplots_adjust(0.01, 0.22 / height, 0.99, 1 - 0.25 / height)
    for axes in grid.flat:
        axes.set_axis_off()
    for name, axes in zip(("scan", *methods), grid[0]):
        axes.set_title(name, color=INK, fontsize=8, pad=3)
    for number, case in enumerate(cases):
        truth = np.zeros(case.volume.shape[1:], bool) if case.truth is None else case.truth[0].numpy()
        z = pictured_slice(case)
        brain = case.brain[0, :, :, z].numpy()
        seen = _around(brain)
        upper, lower = grid[2 * number], grid[2 * number + 1]
        for axes in (upper[0], lower[0]):
            _show(axes, case.volume[0, :, :, z].numpy()[seen], "gray", 1)
        truth = truth[:, :, z][seen]
        _outline(lower[0], truth, TRUTH)
        upper[0].text(0, 0, case.name, color=INK, fontsize=6, transform=upper[0].transAxes)
        for pictures, above, below in zip(methods.values(), upper[1:], lower[1:]):
            picture = pictures[number]
            _show(above, (picture.reconstruction * brain)[seen], "gray", 1)
            _show(below, picture.score_map[seen], "inferno", 2 * picture.threshold)
            _outline(below, truth, TRUTH)
            _outline(below, picture.mask[seen], FOUND)
    figure.text(0.01, 0.05 / height, f"Yellow: truth. Red: mask. {NOTICE}", color=INK, fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=160)


def _around(brain: np.ndarray) -> tuple[slice, ...]:
    """The brain's box in a slice [X, Y], with a margin; the whole slice where there is none."""
    if not brain.any():
        return (slice(None), slice(None))
    ends = [np.flatnonzero(brain.any(axis))[[0, -1]] for axis in (1, 0)]
    return tuple(slice(max(first - MARGIN, 0), last + 1 + MARGIN) for first, last in ends)


def _show(axes, picture: np.ndarray, colours: str, largest: float) -> None:
    axes.imshow(np.rot90(picture).astype(np.float32), cmap=colours, vmin=0, vmax=largest)


def _outline(axes, region: np.ndarray, colour: str) -> None:
    if region.any():
        axes.contour(np.rot90(region).astype(float), [0.5], colors=colour, linewidths=0.7)
