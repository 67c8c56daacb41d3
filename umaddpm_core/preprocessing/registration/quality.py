"""How well a scan lies on the template, and the bounds below which a registration has failed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.registration.evidence import DARKEST, Evidence
from umaddpm_core.preprocessing.registration.geometry import matrix_of, turn_degrees

LOWEST_OVERLAP = 0.85
LOWEST_VISIBLE = 0.55
LOWEST_INFORMATION = 0.02
SCALES = 0.6, 1.6
LARGEST_TURN_DEGREES = 50.0
GREY_LEVELS = 16
EDGE_VOXELS = 3
"""Left out of the comparison of intensities: at their edges all brains are alike."""


@dataclass(frozen=True)
class Quality:
    """Figures of a registration, all within the scan's field of view.

    Attributes:
        overlap: Dice of the scan's brain with the template's, 0–1.
        correlation: of the intensities where both are brain, −1 to 1; below 0 between T1 and T2.
        information: mutual information of the intensities where both are brain (nats), whatever the contrast.
        visible: share of the template's brain that lies in the field of view, 0–1.
    """

    overlap: float
    correlation: float
    information: float
    visible: float

    @classmethod
    def of(
        cls, evidence: Evidence, brain: sitk.Image, template_brain: sitk.Image, transform: sitk.AffineTransform
    ) -> Quality:
        """Overlap on the grid of the template's mask, intensities at 3 mm.

        Args:
            brain, template_brain: uint8 masks on the grids of scan and template.
            transform: maps points of the template to points of the scan.
        """
        found = _moved(brain, template_brain, transform, outside=-1.0)
        seen, found = found >= 0, found > 0.5
        reference = sitk.GetArrayViewFromImage(template_brain) > 0
        pair = np.count_nonzero(found) + np.count_nonzero(reference & seen)
        overlap = 2 * np.count_nonzero(found & reference) / max(pair, 1)
        visible = np.count_nonzero(reference & seen) / np.count_nonzero(reference)
        here = _moved(evidence.scan, evidence.template, transform)
        there = sitk.GetArrayViewFromImage(evidence.template)
        both = ndimage.binary_erosion((here > DARKEST) & (there > DARKEST), iterations=EDGE_VOXELS)
        return cls(float(overlap), _correlation(here[both], there[both]), _information(here[both], there[both]), float(visible))


def check(quality: Quality, transform: sitk.AffineTransform, lowest_overlap: float = LOWEST_OVERLAP) -> None:
    """Refuse a registration whose figures say that it failed.

    Raises:
        InputError: too little of a brain in view, too little overlap, unlike intensities, or a map that no living
            head and no correct header would need: mirrored, turned by more than 50°, stretched beyond 0.6–1.6.
    """
    matrix = matrix_of(transform)
    scales = np.linalg.svd(matrix, compute_uv=False)
    shape = "it may not show a whole brain, or its header may be wrong"
    if quality.visible < LOWEST_VISIBLE:
        reason = f"it shows only {quality.visible:.0%} of a brain, and at least {LOWEST_VISIBLE:.0%} is needed"
    elif quality.overlap < lowest_overlap:
        reason = f"the overlap is {quality.overlap:.2f}, and at least {lowest_overlap:.2f} is needed; {shape}"
    elif np.linalg.det(matrix) <= 0 or turn_degrees(matrix) > LARGEST_TURN_DEGREES:
        reason = f"it would have to be turned by more than {LARGEST_TURN_DEGREES:.0f}°; the axes in its header may be wrong"
    elif scales.min() < SCALES[0] or scales.max() > SCALES[1]:
        reason = (
            f"it would have to be stretched by {scales.min():.2f} to {scales.max():.2f}, and {SCALES[0]} to {SCALES[1]} "
            f"is plausible; {shape}"
        )
    elif quality.information < LOWEST_INFORMATION:
        reason = (
            f"what lies in its brain does not resemble one (mutual information {quality.information:.3f}, at least "
            f"{LOWEST_INFORMATION} is needed)"
        )
    else:
        return
    raise InputError(f"This scan could not be aligned to the brain template: {reason}.")


def _moved(image: sitk.Image, like: sitk.Image, transform: sitk.AffineTransform, outside: float = 0.0) -> np.ndarray:
    image = sitk.Cast(image, sitk.sitkFloat32)
    return sitk.GetArrayFromImage(sitk.Resample(image, like, transform, sitk.sitkLinear, outside, sitk.sitkFloat32))


def _correlation(here: np.ndarray, there: np.ndarray) -> float:
    if len(here) < 2 or not here.std() or not there.std():
        return 0.0
    return float(np.corrcoef(here, there)[0, 1])


def _information(here: np.ndarray, there: np.ndarray) -> float:
    """Of grey levels that are equally frequent, so that only their order matters."""
    if len(here) < GREY_LEVELS**2:
        return 0.0
    joint = np.histogram2d(_ranked(here), _ranked(there), bins=GREY_LEVELS)[0] / len(here)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    return float(np.sum(joint[filled] * np.log(joint[filled] / independent[filled])))


def _ranked(values: np.ndarray) -> np.ndarray:
    edges = np.quantile(values, np.linspace(0, 1, GREY_LEVELS + 1)[1:-1])
    return np.searchsorted(edges, values)
