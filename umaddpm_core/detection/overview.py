"""The picture of a detection: scan with mask outline, reconstruction and anomaly map, slice by slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.detection.detection import NOTICE, Detection
from umaddpm_core.preprocessing.heads import upright

SLICES = 6
WIDTH_INCHES = 12.0
LEFT_INCHES, RIGHT_INCHES = 0.45, 0.62
"""Margins for the row titles and for the scale of the map."""
BACKGROUND, INK, OUTLINE = "#101418", "#e8edf2", "#ff5252"


def draw_overview(detection: Detection, path: str | Path) -> Path:
    """Draw six axial slices, in radiological view (patient's right on the left), and write them as PNG.

    Slices are spread over the examined region; where there are findings, the one with the most marked voxels is among
    them.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scan, mask, reconstruction, score_map, examined = (
        _axial(image)
        for image in (detection.scan, detection.mask, detection.reconstruction, detection.anomaly_map, detection.examined)
    )
    spacing = upright(detection.scan).GetSpacing()
    rows, columns = _box(examined > 0)
    chosen = _chosen_slices(examined > 0, mask > 0)
    window = np.percentile(scan[examined > 0], (0.5, 99.5)) if examined.any() else (scan.min(), scan.max())
    threshold = detection.report["threshold"]["value"]
    aspect = spacing[1] / spacing[0]
    panel = WIDTH_INCHES / SLICES
    height = panel * aspect * (rows.stop - rows.start) / (columns.stop - columns.start)
    top, bottom, gap = 0.62, 0.30, 0.06
    total = 3 * height + 2 * gap + top + bottom
    full = LEFT_INCHES + WIDTH_INCHES + RIGHT_INCHES
    figure = Figure(figsize=(full, total), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    heat = colormaps["inferno"]
    titles = ("scan, finding outlined", "reconstruction (composite)", "anomaly map")
    for row, title in enumerate(titles):
        lower = (bottom + (2 - row) * (height + gap)) / total
        figure.text(
            0.25 / full, lower + height / total / 2, title, color=INK, rotation=90, ha="center", va="center", fontsize=10
        )
        for column, index in enumerate(chosen):
            axes = figure.add_axes(((LEFT_INCHES + column * panel) / full, lower, (panel - 0.05) / full, height / total))
            axes.set_axis_off()
            view = (index, rows, columns)
            if row == 2:
                shown = np.where(examined[view] > 0, score_map[view], np.nan)
                picture = axes.imshow(shown, cmap=heat, vmin=0, vmax=2 * threshold, aspect=aspect)
            else:
                grey = (scan if row == 0 else reconstruction)[view]
                axes.imshow(grey, cmap="gray", vmin=window[0], vmax=window[1], aspect=aspect)
            if row == 0 and mask[view].any():
                axes.contour(mask[view] > 0, levels=[0.5], colors=[OUTLINE], linewidths=1.1)
            if row == 0:
                axes.set_title(f"slice {index + 1}", color=INK, fontsize=8, pad=3)
    bar = figure.add_axes(((LEFT_INCHES + WIDTH_INCHES + 0.03) / full, bottom / total, 0.12 / full, height / total))
    colours = figure.colorbar(picture, cax=bar, ticks=[0, threshold, 2 * threshold])
    colours.ax.set_yticklabels(["0", f"{threshold:.2f}", f"{2 * threshold:.2f}"], color=INK, fontsize=7)
    colours.outline.set_edgecolor(INK)
    colours.ax.tick_params(color=INK)
    figure.text(0.01, 1 - 0.12 / total, _heading(detection), color=INK, fontsize=11, va="top", weight="bold")
    figure.text(0.01, 0.09 / total, f"{NOTICE}  Radiological view: patient's right is on the left.", color=INK, fontsize=8)
    figure.savefig(path, dpi=110, facecolor=BACKGROUND, format="png")
    return Path(path)


def _heading(detection: Detection) -> str:
    report = detection.report
    count = len(detection.lesions)
    volume = sum(lesion.volume_ml for lesion in detection.lesions)
    found = f"{count} finding{'s' if count != 1 else ''}, {volume:.1f} ml" if count else "no finding"
    threshold = report["threshold"]
    return (
        f"{report['scan']}: {found}   ·   {report['model']}, {report['modality']}   ·   "
        f"threshold {threshold['name']} = {threshold['value']:.3f} ({threshold['score']})   ·   quality {report['quality']['verdict']}"
    )


def _axial(image: sitk.Image) -> np.ndarray:
    """Voxels [slice, row, column] with anterior up and the patient's right on the left."""
    return sitk.GetArrayFromImage(upright(image))


def _box(examined: np.ndarray, margin: int = 4) -> tuple[slice, slice]:
    """Rows and columns around the examined region, or everything."""
    if not examined.any():
        return slice(0, examined.shape[1]), slice(0, examined.shape[2])
    spans = []
    for axis in (1, 2):
        occupied = np.flatnonzero(examined.any(axis=tuple(other for other in range(3) if other != axis)))
        extra = max(margin, round(0.06 * len(occupied)))
        spans.append(slice(max(occupied[0] - extra, 0), min(occupied[-1] + extra + 1, examined.shape[axis])))
    return spans[0], spans[1]


def _chosen_slices(examined: np.ndarray, mask: np.ndarray) -> list[int]:
    occupied = np.flatnonzero(examined.any(axis=(1, 2)))
    if occupied.size == 0:
        occupied = np.arange(len(examined))
    first, last = occupied[0], occupied[-1]
    chosen = np.unique(np.linspace(first + 0.28 * (last - first), first + 0.92 * (last - first), SLICES).round().astype(int))
    marked = mask.sum(axis=(1, 2))
    if marked.any():
        peak = int(marked.argmax())
        chosen[np.abs(chosen - peak).argmin()] = peak
    chosen = sorted(set(chosen.tolist()))
    return chosen + [chosen[-1]] * (SLICES - len(chosen))
