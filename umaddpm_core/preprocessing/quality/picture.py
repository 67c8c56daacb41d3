"""What a prepared picture itself shows: the detail of a brain, and holes in it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from torch import Tensor

from umaddpm_core.preprocessing.grid import SPACING_MM

RIM_VOXELS = 2
"""The brain's edge, which is left out of the detail."""
FINE_VOXELS, COARSE_VOXELS = 1.0, 3.0
"""Blurs between which the folds of a brain lie, and the noise of a phantom does not."""

FLUID = 0.2
"""Fluid is darker than this in T1."""
TEMPLATE_FLUID_SHARE = 20
"""Percentile of the template's brain below which it is taken for fluid: ventricles, fissures, the surface."""
AWAY_VOXELS = 3
"""A cavity has to lie this far below the surface, and to reach this far from the template's fluid."""


def detail(volume: Tensor, brain: Tensor) -> float:
    """Share of the brain's contrast (standard deviation) that lies in structures of 2–6 mm, as its folds do.

    Args:
        volume: prepared, [1, x, y, z] in [0, 1].
        brain: boolean, same shape.
    """
    inside = brain[0].numpy()
    core = ndimage.binary_erosion(inside, iterations=RIM_VOXELS)
    voxels = volume[0].numpy()
    if not core.any() or not voxels[core].std():
        return 0.0
    weight = inside.astype(np.float32)

    def blurred(sigma: float) -> np.ndarray:
        return ndimage.gaussian_filter(voxels * weight, sigma) / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)

    return float((blurred(FINE_VOXELS) - blurred(COARSE_VOXELS))[core].std() / voxels[core].std())


def likeness(volume: Tensor, brain: Tensor, template: Tensor) -> float:
    """Correlation of a scan's grey values with the template's inside both brains, −1 to 1.

    Args:
        volume: prepared, so without shading, [1, x, y, z] in [0, 1].
        brain: boolean, same shape.
        template: T1 template on the same grid, 0 outside its brain.
    """
    inside = ndimage.binary_erosion((brain & (template > 0))[0].numpy(), iterations=RIM_VOXELS)
    here, there = (ndimage.gaussian_filter(values[0].numpy(), FINE_VOXELS)[inside] for values in (volume, template))
    return float(np.corrcoef(here, there)[0, 1]) if inside.any() and here.std() and there.std() else 0.0


def cavity_ml(volume: Tensor, brain: Tensor, template: Tensor) -> float:
    """How much of a T1 scan's largest fluid-filled region lies deep in the brain where the template has no fluid, in ml.

    Sees what an operation or a large cyst leaves inside the brain. Does not see a cavity that is open to the surface
    and was left out of the brain mask, nor one filled with blood or fat; a large fluid-like tumour looks the same.

    Args:
        volume: prepared, [1, x, y, z] in [0, 1].
        brain: boolean, same shape.
        template: T1 template on the same grid, 0 outside its brain.
    """
    atlas, voxels = template[0].numpy(), volume[0].numpy()
    known = atlas > 0
    deep = ndimage.binary_erosion(brain[0].numpy() & known, iterations=AWAY_VOXELS)
    if not deep.any():
        return 0.0
    fluid = known & (atlas < np.percentile(atlas[known], TEMPLATE_FLUID_SHARE))
    near_fluid = ndimage.binary_dilation(fluid, iterations=AWAY_VOXELS)
    dark = ndimage.binary_opening((ndimage.gaussian_filter(voxels, 0.7) < FLUID) & deep)
    regions, count = ndimage.label(dark)
    away = np.bincount(regions[dark & ~near_fluid], minlength=count + 1)
    return float(away.max() * SPACING_MM**3 / 1000)
