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
INCHES = 1.25


def draw(path: Path, cases: Sequence[Case], methods: dict[str, tuple[Sequence[Picture], float]]) -> None:
    """Write a PNG: scan with the truth outlined, then by method reconstruction and map, the mask outlined on the map.

    Args:
        cases: each shown in the slice with the largest lesion.
        methods: by name the picture of every case, and the threshold of the masks.
    """
    rows, columns = 2 * len(cases), 1 + len(methods)
    figure = Figure(figsize=(columns * INCHES, rows * INCHES + 0.4), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    top = 1 - 0.25 / (rows * INCHES + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.02})
    figure.subplots_adjust(0.01, 0.15 / (rows * INCHES + 0.4), 0.99, top)
    for axes in grid.flat:
        axes.set_axis_off()
    for name, axes in zip(("scan", *methods), grid[0]):
        axes.set_title(name, color=INK, fontsize=6, pad=2)
    for number, case in enumerate(cases):
        truth = np.zeros(case.volume.shape[1:], bool) if case.truth is None else case.truth[0].numpy()
        z = pictured_slice(case)
        upper, lower = grid[2 * number], grid[2 * number + 1]
        for axes in (upper[0], lower[0]):
            _show(axes, case.volume[0, :, :, z].numpy(), "gray", 1)
        _outline(lower[0], truth[:, :, z], TRUTH)
        upper[0].text(2, 6, case.name, color=INK, fontsize=4)
        for (pictures, threshold), above, below in zip(methods.values(), upper[1:], lower[1:]):
            picture = pictures[number]
            _show(above, picture.reconstruction, "gray", 1)
            _show(below, picture.score_map, "inferno", 2 * threshold)
            _outline(below, truth[:, :, z], TRUTH)
            _outline(below, picture.mask, FOUND)
    figure.text(0.01, 0.003, f"Yellow: truth. Red: mask. {NOTICE}", color=INK, fontsize=5)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=160)


def _show(axes, picture: np.ndarray, colours: str, largest: float) -> None:
    axes.imshow(np.rot90(picture).astype(np.float32), cmap=colours, vmin=0, vmax=largest)


def _outline(axes, region: np.ndarray, colour: str) -> None:
    if region.any():
        axes.contour(np.rot90(region).astype(float), [0.5], colors=colour, linewidths=0.7)
