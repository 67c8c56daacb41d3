"""Which structure of the brain lies where in template space."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from umaddpm_core.resources import STRUCTURES

PAIRED = {
    (2, 41): "cerebral white matter",
    (3, 42): "cerebral cortex",
    (4, 43): "lateral ventricle",
    (5, 44): "lateral ventricle",
    (7, 46): "cerebellum",
    (8, 47): "cerebellum",
    (10, 49): "thalamus",
    (11, 50): "caudate",
    (12, 51): "putamen",
    (13, 52): "pallidum",
    (17, 53): "hippocampus",
    (18, 54): "amygdala",
    (26, 58): "accumbens",
    (28, 60): "ventral diencephalon",
}
MIDLINE = {14: "third ventricle", 15: "fourth ventricle", 16: "brainstem", 85: "optic chiasm"}
NAMES = {
    **{left: ("left", name) for (left, _), name in PAIRED.items()},
    **{right: ("right", name) for (_, right), name in PAIRED.items()},
    **{number: ("middle", name) for number, name in MIDLINE.items()},
}
"""Side and name by number, the numbers being FreeSurfer's."""

ONE_SIDE = 0.75
"""A region with this share of its labelled voxels on one side lies there, any other on both."""


@lru_cache(maxsize=1)
def read_structures() -> sitk.Image:
    """The shipped vote of labelled heads: uint8 numbers of `NAMES` in template space, 0 outside the brain."""
    return sitk.ReadImage(str(STRUCTURES))


def side_and_structure(numbers: np.ndarray) -> tuple[str, str]:
    """Where a region lies, by a vote of its voxels.

    Args:
        numbers: of `NAMES`, one for each voxel of the region; others do not vote.

    Returns:
        `left`, `right`, `both`, or `middle` for what has no side; and the structure most voxels are of. Two empty words
        where no voxel is of any.
    """
    counts = {int(number): int(count) for number, count in zip(*np.unique(numbers, return_counts=True)) if number in NAMES}
    if not counts:
        return "", ""
    sides: dict[str, int] = {}
    structures: dict[str, int] = {}
    for number, count in counts.items():
        side, name = NAMES[number]
        sides[side] = sides.get(side, 0) + count
        structures[name] = structures.get(name, 0) + count
    most = max(sides, key=lambda side: sides[side])
    return most if sides[most] >= ONE_SIDE * sum(counts.values()) else "both", max(structures, key=lambda name: structures[name])
