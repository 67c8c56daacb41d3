"""Lesions like those of known diseases, of a given size, for the comparison of methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage, stats
from torch import Tensor

from umaddpm_core.data.synthetic_lesions.random_lesion import VOLUME_ML, Lesion
from umaddpm_core.data.synthetic_lesions.shape import blurred, changed, lesion_region, wavy_distance, wedge_distance

CONTRAST_FACTOR = {"T1": -1.0, "T2": 2.0}
"""Lesions with more water are dark in T1 and, about twice as strongly, bright in T2."""


@dataclass(frozen=True)
class Look:
    """Ranges that a kind's contrast in T1 and its edge (mm) are drawn from, and the share of the contrast that its core has."""

    contrast: tuple[float, float]
    edge_mm: tuple[float, float]
    core: float = 1.0


LOOKS = {
    "solid": Look((0.15, 0.40), (1, 3)),
    "ring": Look((0.10, 0.25), (1, 3), core=2.0),
    "oedema": Look((0.10, 0.25), (5, 9)),
    "infarct": Look((0.25, 0.50), (1, 2)),
}
PATHOLOGIES = (*LOOKS, "atrophy")
WIDENING, WIDENING_MM = (0.15, 0.35), 30.0
"""Atrophy stretches the middle of the brain by this share, falling with a Gaussian of this width."""
OEDEMA_IN_GREY = 1.5
"""How much further than in white matter a voxel of grey matter or CSF counts."""


def paint_pathology(
    kind: str, modality: str, sizes_ml: Sequence[float], volume: Tensor, brain: Tensor, seed: int, spacing_mm: float = 2.0
) -> tuple[Tensor, Tensor, Lesion]:
    """A healthy volume with one lesion that looks like a disease in this sequence.

    Args:
        kind: `solid` and `ring`, whose core is twice as strong as its rim, in random places; `oedema`, weak, without a sharp
            edge, spreading along white matter; `infarct`, strong and sharp, a wedge with its base on the brain's surface; or
            `atrophy`, a hard negative: the middle of the brain is stretched so that the ventricles are wider, and nothing is
            a lesion.
        modality: T1 (darker) or T2 (brighter).
        sizes_ml: the size is one of these, such as those of real lesions; 5–100 ml, log-uniform, where there are none.
        volume: [1, X, Y, Z] in [0, 1], zero outside the brain.
        brain: boolean, same shape.
        seed: the same seed paints the same lesion.
        spacing_mm: isotropic voxel size.

    Returns:
        The painted volume; the lesion as a boolean mask, empty for atrophy; and what it is. It is smaller than drawn where a
        part of it would lie apart, and is left out.
    """
    random = np.random.default_rng(seed)
    inside, scan = brain[0].numpy(), volume[0].numpy()
    if kind == "atrophy":
        widened = _widened(scan, inside, random.uniform(*WIDENING), spacing_mm)
        return torch.from_numpy(widened)[None], torch.zeros_like(brain), Lesion("atrophy", 0.0, 0.0, 0.0)
    look = LOOKS[kind]
    size_ml = float(random.choice(sizes_ml)) if len(sizes_ml) else math.exp(random.uniform(*np.log(VOLUME_ML)))
    contrast, edge_mm = CONTRAST_FACTOR[modality] * random.uniform(*look.contrast), random.uniform(*look.edge_mm)
    if kind == "infarct":
        distance = wedge_distance(inside, random, spacing_mm)
    else:
        distance = wavy_distance(inside, random, spacing_mm)
        if kind == "oedema":
            distance = distance * (1 + OEDEMA_IN_GREY * (1 - _white_matter(scan, inside, modality)))
    region, strength = lesion_region(distance, inside, size_ml, look.core, spacing_mm)
    painted = changed(scan, inside, region, blurred(strength, inside, edge_mm, spacing_mm), contrast, spacing_mm)
    lesion = Lesion(kind, np.count_nonzero(region) * spacing_mm**3 / 1000, contrast, edge_mm)
    return torch.from_numpy(painted)[None], torch.from_numpy(region)[None], lesion


def _white_matter(scan: np.ndarray, inside: np.ndarray, modality: str) -> np.ndarray:
    """A rough share of white matter, 0 to 1, from the rank of the grey value: bright in T1, dark in T2."""
    rank = np.zeros(scan.shape, np.float32)
    rank[inside] = stats.rankdata(-CONTRAST_FACTOR[modality] * scan[inside]) / np.count_nonzero(inside)
    return ndimage.gaussian_filter(np.clip((rank - 0.4) / 0.3, 0, 1), 1.0)


def _widened(scan: np.ndarray, inside: np.ndarray, share: float, spacing_mm: float) -> np.ndarray:
    """The scan with the middle of the brain stretched; its surface stays where it is."""
    centre = np.argwhere(inside).mean(0).reshape(3, 1, 1, 1)
    offset = np.indices(scan.shape) - centre
    squared = (offset**2).sum(0) * spacing_mm**2
    source = centre + offset * (1 - share * np.exp(-squared / (2 * WIDENING_MM**2)))
    stretched = ndimage.map_coordinates(scan, source, order=1, mode="nearest")
    return np.where(inside, np.clip(stretched, 1 / 255, 1), 0).astype(np.float32)
