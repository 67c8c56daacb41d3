"""Lesions of random kind, size, contrast and direction, for calibration and for tests whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from umaddpm_core.data.synthetic_lesions.shape import blurred, changed, lesion_region, wavy_distance

VOLUME_ML = (5.0, 100.0)
CONTRAST = (0.10, 0.40)
EDGE_MM = (1.0, 3.0)
RING_CORE = 0.65
"""Share of the rim's contrast that the core of a ring has."""


@dataclass(frozen=True)
class Lesion:
    """What was painted: its kind, its volume, its contrast to the tissue around it (negative is darker) and the blur of its
    edge, as full width at half maximum."""

    kind: Literal["solid", "ring", "oedema", "infarct", "atrophy"]
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
    10–40 %, edges blurred with a full width at half maximum of 1–3 mm, outlines wavy on a scale of centimetres.
    """
    random = np.random.default_rng(seed)
    inside, scan = brain[0].numpy(), volume[0].numpy()
    lesion = Lesion(
        kind="solid" if random.random() < 0.5 else "ring",
        volume_ml=math.exp(random.uniform(*np.log(VOLUME_ML))),
        contrast=float(random.choice((-1, 1)) * random.uniform(*CONTRAST)),
        edge_mm=random.uniform(*EDGE_MM),
    )
    distance = wavy_distance(inside, random, spacing_mm)
    region, strength = lesion_region(distance, inside, lesion.volume_ml, RING_CORE if lesion.kind == "ring" else 1.0, spacing_mm)
    painted = changed(scan, inside, region, blurred(strength, inside, lesion.edge_mm, spacing_mm), lesion.contrast, spacing_mm)
    return torch.from_numpy(painted)[None], torch.from_numpy(region)[None], lesion
