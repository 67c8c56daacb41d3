"""Which structure of the brain a number means, and where a lesion lies by a vote of its voxels."""

from __future__ import annotations

import numpy as np

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
"""Side and name by number, the numbers being FreeSurfer's, as in the server's `structures.nii.gz`."""

ONE_SIDE = 0.75
"""A lesion with this share of its labelled voxels on one side lies there, any other on both."""


def side_and_structure(counts: np.ndarray) -> tuple[str, str]:
    """Where a lesion lies.

    Args:
        counts: how many of its voxels have each number, [256]; numbers that are none of `NAMES` do not vote.

    Returns:
        `left`, `right`, `both`, or `middle` for what has no side; and the structure most voxels are of. Two empty words where
        no voxel is of any.
    """
    sides: dict[str, int] = {}
    structures: dict[str, int] = {}
    for number in np.flatnonzero(counts).tolist():
        if number in NAMES:
            side, name = NAMES[number]
            sides[side] = sides.get(side, 0) + int(counts[number])
            structures[name] = structures.get(name, 0) + int(counts[number])
    if not sides:
        return "", ""
    most = max(sides, key=lambda side: sides[side])
    return most if sides[most] >= ONE_SIDE * sum(sides.values()) else "both", max(structures, key=lambda name: structures[name])
