"""Lesions found, missed and invented, after the lesion-wise rules of BraTS 2023."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from umaddpm_core.evaluation.metrics import dice

DILATION_MM = 3.0
"""Parts of the truth that touch when they are dilated by so much are one lesion."""
SMALLEST_MM3 = 50.0
"""Lesions of the truth smaller than this do not count; nor do findings that touch none (ours: BraTS counts those of any size)."""
NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class LesionCounts:
    """`found` and `missed` lesions of the truth, `invented` findings, and the sum of the Dice of the found ones."""

    found: int
    missed: int
    invented: int
    dice_sum: float

    def figures(self) -> dict[str, float]:
        """Lesion-wise sensitivity, precision, F1 and Dice; NaN where there is nothing to divide by.

        The Dice counts 0 for every missed and every invented lesion.
        """
        truth, marked, all_of_them = self.found + self.missed, self.found + self.invented, self.found + self.missed + self.invented
        return {
            "lesion_sensitivity": _ratio(self.found, truth),
            "lesion_precision": _ratio(self.found, marked),
            "lesion_f1": _ratio(2 * self.found, truth + marked),
            "lesion_dice": _ratio(self.dice_sum, all_of_them),
        }


def lesion_counts(mask: np.ndarray, truth: np.ndarray, spacing_mm: float) -> LesionCounts:
    """Compare a mask with the truth, both boolean [X, Y, Z], lesion by lesion.

    Args:
        spacing_mm: isotropic voxel size.

    A lesion of the truth is found where a finding touches it after dilation; its Dice is of all findings that do. A finding
    that touches none is invented.
    """
    dilated = ndimage.distance_transform_edt(~truth, spacing_mm) <= DILATION_MM if truth.any() else truth
    lesions, count = ndimage.label(dilated, NEIGHBOURS)
    findings, marked = ndimage.label(mask, NEIGHBOURS)
    smallest = SMALLEST_MM3 / spacing_mm**3
    sizes = np.bincount(findings.ravel(), minlength=marked + 1)
    touching: set[int] = set()
    found = missed = 0
    dice_sum = 0.0
    for number in range(1, count + 1):
        region = lesions == number
        here = set(np.unique(findings[region])) - {0}
        touching |= here
        lesion = truth & region
        if np.count_nonzero(lesion) < smallest:
            continue
        if here:
            found += 1
            dice_sum += dice(np.isin(findings, list(here)), lesion)
        else:
            missed += 1
    invented = sum(1 for number in range(1, marked + 1) if number not in touching and sizes[number] >= smallest)
    return LesionCounts(found, missed, invented, dice_sum)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
