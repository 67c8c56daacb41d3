"""Where a painted lesion lies: distances from a centre, whose nearest voxels are the lesion, and the change it makes."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

DEPTH_MM = 6.0
"""A lesion's centre is at least this deep in the brain."""
SURROUNDINGS_MM = 6.0
RING_CORE_SHARE = 0.35
"""Share of a ring lesion's volume that is its core."""


def wavy_distance(inside: np.ndarray, random: np.random.Generator, spacing_mm: float) -> np.ndarray:
    """Distance in mm to a random centre deep in the brain, stretched along the axes and made irregular."""
    deep = ndimage.distance_transform_edt(inside) * spacing_mm >= DEPTH_MM
    candidates = np.argwhere(deep if deep.any() else inside)
    centre = candidates[random.integers(len(candidates))]
    stretch = np.exp(random.uniform(-0.3, 0.3, 3))
    axes = np.ogrid[tuple(slice(side) for side in inside.shape)]
    squared = sum(((axis - c) * spacing_mm * s) ** 2 for axis, c, s in zip(axes, centre, stretch))
    return np.sqrt(squared) * (1 + 0.18 * waves(inside.shape, random, spacing_mm))


def wedge_distance(inside: np.ndarray, random: np.random.Generator, spacing_mm: float) -> np.ndarray:
    """Distance in mm whose nearest voxels are a wedge with its base on the surface, narrower towards the brain's centre."""
    surface = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    base, centre = surface[random.integers(len(surface))], np.argwhere(inside).mean(0)
    axis = (centre - base) / max(float(np.linalg.norm(centre - base)), 1.0)
    offset = [np.subtract(grid, b) * spacing_mm for grid, b in zip(np.ogrid[tuple(slice(side) for side in inside.shape)], base)]
    depth = sum(o * a for o, a in zip(offset, axis))
    aside = np.sqrt(np.maximum(sum(o**2 for o in offset) - depth**2, 0))
    width = random.uniform(0.5, 0.9)
    return (np.maximum(depth, 0) + aside / width) * (1 + 0.12 * waves(inside.shape, random, spacing_mm))


def waves(shape: tuple[int, ...], random: np.random.Generator, spacing_mm: float) -> np.ndarray:
    """Smooth noise of standard deviation 1 at its knots, which are 16 mm apart."""
    knots = random.standard_normal([max(int(n * spacing_mm / 16), 2) for n in shape])
    return ndimage.zoom(knots, [n / m for n, m in zip(shape, knots.shape)], order=3)


def nearest(distance: np.ndarray, inside: np.ndarray, voxels: int) -> np.ndarray:
    """The so many brain voxels with the smallest distance, those connected to the largest part of them."""
    ordered = np.sort(distance[inside])
    region = (distance <= ordered[min(voxels, len(ordered)) - 1]) & inside
    components, count = ndimage.label(region)
    if count > 1:
        sizes = np.bincount(components.ravel())
        sizes[0] = 0
        region = components == sizes.argmax()
    return region


def lesion_region(distance: np.ndarray, inside: np.ndarray, volume_ml: float, core: float, spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """A lesion of so many ml as a boolean region, and how strongly each of its voxels changes: 1, or `core` in its innermost part.

    Args:
        core: 1 for a solid lesion, less for a ring that is weaker inside, more for one that is stronger.
    """
    voxels = max(int(round(1000 * volume_ml / spacing_mm**3)), 1)
    region = nearest(distance, inside, voxels)
    strength = region.astype(np.float32)
    if core != 1:
        strength[nearest(distance, inside, max(int(RING_CORE_SHARE * voxels), 1))] = core
    return region, strength


def blurred(strength: np.ndarray, inside: np.ndarray, edge_mm: float, spacing_mm: float) -> np.ndarray:
    """Strengths with edges of this full width at half maximum, zero outside the brain."""
    return ndimage.gaussian_filter(strength, edge_mm / (2 * math.sqrt(2 * math.log(2))) / spacing_mm) * inside


def changed(scan: np.ndarray, inside: np.ndarray, region: np.ndarray, strength: np.ndarray, contrast: float, spacing_mm: float) -> np.ndarray:
    """The scan with `contrast` times the mean of the tissue around the region added, as `strength` says.

    The change is added, so the anatomy under it stays visible, as it does under oedema and infiltration.
    """
    around = ndimage.binary_dilation(region, iterations=max(int(SURROUNDINGS_MM / spacing_mm), 1)) & ~region & inside
    change = contrast * float(scan[around].mean()) * strength
    return np.where(inside, np.clip(scan + change, 1 / 255, 1), 0).astype(np.float32)
