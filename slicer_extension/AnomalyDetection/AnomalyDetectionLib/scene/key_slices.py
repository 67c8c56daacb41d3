"""Pictures of a result for its report: each lesion in the scan, and beside it what the model expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..lesions import Lesion
from ..pictures import axial, picture, png
from ..report import KeySlice
from ..translation import _
from .result import ANOMALY_MAP, MASK, MODEL_OUTPUT, RECONSTRUCTION, SCAN, TITLES, Result
from .segmentation import mask_of
from .volumes import array_of, as_it_stands, ijk_to_ras

MOST = 6
"""Lesions that have pictures, the largest."""


def key_slices(result: Result, lesions: Iterable[Lesion]) -> tuple[KeySlice, ...]:
    """An axial slice through each of the largest lesions with the mask's outline, the same slice of the reconstruction, and of
    the anomaly map over the scan; without a lesion, the slice in the middle. Where the scan is gone, the reconstruction is below.

    Raises:
        SceneError: mask or anomaly map are gone.
    """
    grid = result.require(ANOMALY_MAP)
    geometry, shape = ijk_to_ras(grid), array_of(grid).shape
    role = RECONSTRUCTION if result.get(RECONSTRUCTION) is not None else MODEL_OUTPUT
    scan, healthy = (_on_grid(result.get(one), shape, geometry) for one in (SCAN, role))
    below, title = (scan, _("scan")) if scan is not None else (healthy, TITLES[role])
    if below is None:
        return ()
    mask, pixel = axial(mask_of(result.require(MASK), grid), geometry)
    scores, _pixel = axial(array_of(grid), geometry)
    window, slices = _window(below), []
    for place, index in _places(lesions, shape, geometry):
        shown = {title: picture(below[index], window, pixel, mask[index])}
        if healthy is not None and scan is not None:
            shown[TITLES[role]] = picture(healthy[index], window, pixel)
        shown[TITLES[ANOMALY_MAP]] = picture(below[index], window, pixel, heat=(scores[index], result.threshold))
        slices += [KeySlice(f"{place}: {name}", png(image)) for name, image in shown.items()]
    return tuple(slices)


def _places(lesions: Iterable[Lesion], shape: tuple[int, int, int], geometry: np.ndarray) -> list[tuple[str, int]]:
    """What is called how, and in which of the turned slices it lies."""
    found = []
    for lesion in list(lesions)[:MOST]:
        name = _("Lesion {number}").format(number=lesion.number) + (f", {lesion.place}" if lesion.place else "")
        found.append((name, _slice_of(lesion.centroid_ras, shape, geometry)))
    middle = geometry @ np.array([shape[2] / 2, shape[1] / 2, shape[0] / 2, 1])
    return found or [(_("Middle of the scan"), _slice_of(middle[:3], shape, geometry))]


def _slice_of(ras: Iterable[float], shape: tuple[int, int, int], geometry: np.ndarray) -> int:
    """Number of the turned slice in which a point lies."""
    i, j, k = np.rint((np.linalg.inv(geometry) @ np.array([*ras, 1]))[:3]).astype(int)
    marked = np.zeros(shape, dtype=bool)
    marked[np.clip(k, 0, shape[0] - 1), np.clip(j, 0, shape[1] - 1), np.clip(i, 0, shape[2] - 1)] = True
    return int(axial(marked, geometry)[0].any(axis=(1, 2)).argmax())


def _on_grid(node: Any, shape: tuple[int, int, int], geometry: np.ndarray) -> np.ndarray | None:
    """The turned voxels of a volume as it stands, where it has as many as the anomaly map."""
    if node is None:
        return None
    with as_it_stands(node) as standing:
        voxels = array_of(standing)
        return axial(voxels, geometry)[0].copy() if voxels.shape == shape else None


def _window(scan: np.ndarray) -> tuple[float, float]:
    inside = scan[scan > scan.min()]
    return float(scan.min()), float(np.percentile(inside, 99.5)) if inside.size else float(scan.max())
