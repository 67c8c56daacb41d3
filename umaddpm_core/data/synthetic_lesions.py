"""Lesions painted into healthy scans, for calibration and for tests whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

VOLUME_ML = (5.0, 100.0)
CONTRAST = (0.10, 0.40)
EDGE_MM = (1.0, 3.0)
DEPTH_MM = 6.0
"""A lesion's centre is at least this deep in the brain."""
RING_CORE = (0.35, 0.65)
"""Share of a ring lesion's volume that is its core, and the share of the rim's contrast that the core has."""
SURROUNDINGS_MM = 6.0


@dataclass(frozen=True)
class Lesion:
    """What was painted: `solid` or `ring`, its volume, its contrast to the tissue around it (negative is darker) and the
    blur of its edge."""

    kind: Literal["solid", "ring"]
    volume_ml: float
    contrast: float
    edge_mm: float


def paint_lesion(volume: Tensor, brain: Tensor, seed: int, spacing_mm: float = 2.0) -> tuple[Tensor, Tensor, Lesion]:
    """A healthy volume with one lesion of random kind, size, place, contrast and outline.

    Args:
        volume: [1, X, Y, Z] in [0, 1], zero outside the brain.
        brain: boolean, same shape.
        seed: the same seed paints the same lesion.
        spacing_mm: isotropic voxel size.

    Returns:
        The painted volume; the lesion as a boolean mask; and what it is.

    Solid or ring (half each), 5–100 ml (log-uniform), darker or brighter than the mean of the tissue within 6 mm by
    10–40 %, edges blurred with a full width at half maximum of 1–3 mm, outlines wavy on a scale of centimetres. The
    change is added, so the anatomy under it stays visible, as it does under oedema and infiltration.
    """
    random = np.random.default_rng(seed)
    inside = brain[0].numpy()
    scan = volume[0].numpy()
    lesion = Lesion(
        kind="solid" if random.random() < 0.5 else "ring",
        volume_ml=math.exp(random.uniform(*np.log(VOLUME_ML))),
        contrast=float(random.choice((-1, 1)) * random.uniform(*CONTRAST)),
        edge_mm=random.uniform(*EDGE_MM),
    )
    distance = _wavy_distance(inside, random, spacing_mm)
    voxels = max(int(round(1000 * lesion.volume_ml / spacing_mm**3)), 1)
    region = _nearest(distance, inside, voxels)
    profile = region.astype(np.float32)
    if lesion.kind == "ring":
        share, weaker = RING_CORE
        profile[_nearest(distance, inside, int(share * voxels))] = weaker
    sigma = lesion.edge_mm / (2 * math.sqrt(2 * math.log(2))) / spacing_mm
    weight = ndimage.gaussian_filter(profile, sigma) * inside
    around = ndimage.binary_dilation(region, iterations=max(int(SURROUNDINGS_MM / spacing_mm), 1)) & ~region & inside
    change = lesion.contrast * float(scan[around].mean()) * weight
    painted = np.where(inside, np.clip(scan + change, 1 / 255, 1), 0).astype(np.float32)
    return torch.from_numpy(painted)[None], torch.from_numpy(region)[None], lesion


def _wavy_distance(inside: np.ndarray, random: np.random.Generator, spacing_mm: float) -> np.ndarray:
    """Distance in mm to a random centre deep in the brain, stretched along the axes and made irregular."""
    deep = ndimage.distance_transform_edt(inside) * spacing_mm >= DEPTH_MM
    candidates = np.argwhere(deep if deep.any() else inside)
    centre = candidates[random.integers(len(candidates))]
    stretch = np.exp(random.uniform(-0.3, 0.3, 3))
    axes = np.ogrid[tuple(slice(side) for side in inside.shape)]
    squared = sum(((axis - c) * spacing_mm * s) ** 2 for axis, c, s in zip(axes, centre, stretch))
    waves = random.standard_normal([max(int(n * spacing_mm / 16), 2) for n in inside.shape])
    waves = ndimage.zoom(waves, [n / m for n, m in zip(inside.shape, waves.shape)], order=3)
    return np.sqrt(squared) * (1 + 0.18 * waves)


def _nearest(distance: np.ndarray, inside: np.ndarray, voxels: int) -> np.ndarray:
    """The so many brain voxels with the smallest distance, those connected to the largest part of them."""
    ordered = np.sort(distance[inside])
    region = (distance <= ordered[min(voxels, len(ordered)) - 1]) & inside
    components, count = ndimage.label(region)
    if count > 1:
        sizes = np.bincount(components.ravel())
        sizes[0] = 0
        region = components == sizes.argmax()
    return region
