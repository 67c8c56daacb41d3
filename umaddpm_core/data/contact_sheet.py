"""Pictures of all scans of a cache on a few pages, for a quick look at how they were prepared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from umaddpm_core.data.cache import LEVELS, ArrayCache, CachedScan
from umaddpm_core.data.replacing import replacing

TILES = 60
"""Scans a page, at most."""
COLUMNS = 5
SIDE, GAP, TEXT = 96, 6, 26
"""Pixels of a view, between views, and for the two lines above a scan."""
PIXELS = 1.5
"""Of the picture, for each of the model's grid."""
BACKGROUND, INK, FAINT, WARNING, BRAIN, LESIONS = "#101418", "#e8edf2", "#8b98a5", "#ffb547", "#4fc3f7", "#ff5252"

FIGURES = {"brain_ml": "{:.0f} ml", "registration_overlap": "overlap {:.2f}", "registration_correlation": "r {:.2f}"}
"""What of a scan's quality is shown."""


def draw_contact_sheets(cache: ArrayCache) -> list[Path]:
    """Draw every scan of a cache (axial, coronal and sagittal view, the brain's outline in blue, lesions' in red) and write
    `contact_sheet.png` into it, or `contact_sheet_01.png` … for more than 60 scans; those of an earlier run go.

    Views are radiological (patient's right on the left) and through the middle of the brain, or of the lesions. Names of
    scans with warnings are amber.
    """
    for old in cache.folder.glob("contact_sheet*.png"):
        old.unlink()
    scans = cache.scans()
    pages = [scans[first : first + TILES] for first in range(0, len(scans), TILES)]
    names = ["contact_sheet.png"] if len(pages) == 1 else [f"contact_sheet_{n:02d}.png" for n in range(1, len(pages) + 1)]
    for number, (page, name) in enumerate(zip(pages, names), 1):
        title = f"{cache.cohort}: {len(scans)} scans" + (f", page {number} of {len(pages)}" if len(pages) > 1 else "")
        _draw(cache, page, title, cache.folder / name)
    return [cache.folder / name for name in names]


def _draw(cache: ArrayCache, scans: Sequence[CachedScan], title: str, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(scans))
    tile = 3 * SIDE + 4 * GAP
    width, height = columns * tile + GAP, math.ceil(len(scans) / columns) * (SIDE + TEXT + GAP) + TEXT
    picture, lesions = np.zeros((height, width), np.uint8), np.zeros((height, width), bool)
    figure = Figure(figsize=(width * PIXELS / 100, height * PIXELS / 100), dpi=100, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(GAP, TEXT / 2, title, color=INK, fontsize=11, weight="bold", va="center")
    for number, scan in enumerate(scans):
        row, column = divmod(number, columns)
        top, left = TEXT + row * (SIDE + TEXT + GAP), GAP + column * tile
        marked = cache.lesions(scan)[0].numpy() if scan.has_lesions else None
        for position, (view, outline) in enumerate(_views(cache.levels(scan), marked)):
            place = (slice(top + TEXT, top + TEXT + SIDE), slice(left + position * (SIDE + GAP), left + position * (SIDE + GAP) + SIDE))
            picture[place], lesions[place] = view, outline
        colour = WARNING if scan.quality.get("warnings") else INK
        axes.text(left, top + TEXT * 0.32, scan.name, color=colour, fontsize=7.5, va="center", clip_on=True)
        axes.text(left, top + TEXT * 0.74, _quality(scan), color=FAINT, fontsize=6.5, va="center")
    axes.imshow(np.ma.masked_equal(picture, 0), cmap="gray", vmin=0, vmax=LEVELS, interpolation="bilinear")
    axes.contour(picture > 0, levels=[0.5], colors=[BRAIN], linewidths=0.5)
    if lesions.any():
        axes.contour(lesions, levels=[0.5], colors=[LESIONS], linewidths=0.8)
    with replacing(path) as temporary:
        figure.savefig(temporary, facecolor=BACKGROUND, format="png")


def _views(volume: np.ndarray, lesions: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Axial, coronal and sagittal view of a volume [x, y, z], each [96, 96] with its lesions."""
    lesions = np.zeros_like(volume) if lesions is None else lesions
    x, y, z = (int(round(np.mean(axis))) for axis in np.nonzero(lesions if lesions.any() else volume))
    cuts = (np.s_[:, :, z], np.s_[:, y, ::-1], np.s_[x, :, ::-1])
    return [(_square(volume[cut].T), _square(lesions[cut].T > 0)) for cut in cuts]


def _square(view: np.ndarray) -> np.ndarray:
    missing = SIDE - view.shape[0]
    return np.pad(view, ((missing // 2, missing - missing // 2), (0, 0)))


def _quality(scan: CachedScan) -> str:
    shown = [form.format(scan.quality[key]) for key, form in FIGURES.items() if key in scan.quality]
    return " · ".join([scan.part, *shown])
