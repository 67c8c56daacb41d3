"""What a registration looks at: the brains alone, coarse, with a margin of what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

WORKING_SPACING_MM = 3.0
MARGIN_MM = 30.0
"""How much of the field of view around a brain is kept. Beyond the field of view there is no evidence."""
RIM_MM = 24.0
"""How far outside the template's brain the two images are compared."""
DARKEST = 0.1
"""Working intensity of the darkest brain voxels; what is not brain is 0."""


@dataclass(frozen=True)
class Evidence:
    """Template and scan at 3 mm: float32, 0.1–1 inside the brain and 0 outside, each on its own axes.

    Attributes:
        region: uint8 mask on the template's grid: where the two are compared.
    """

    template: sitk.Image
    scan: sitk.Image
    region: sitk.Image

    @classmethod
    def of(cls, scan: sitk.Image, brain: sitk.Image, template: sitk.Image, template_brain: sitk.Image) -> Evidence:
        """The evidence of two images with their uint8 brain masks, each pair on one grid."""
        fixed = _working(template, template_brain)
        radius = [round(RIM_MM / spacing) for spacing in fixed.GetSpacing()]
        return cls(fixed, _working(scan, brain), sitk.BinaryDilate(inside(fixed), radius))


def inside(working: sitk.Image) -> sitk.Image:
    """The brain of a working image, as a uint8 mask."""
    return working > 0.5 * DARKEST


def _working(image: sitk.Image, brain: sitk.Image) -> sitk.Image:
    image, brain = _around(image, brain)
    voxels = sitk.GetArrayFromImage(image).astype(np.float32)
    mask = sitk.GetArrayViewFromImage(brain) > 0
    low, high = np.percentile(voxels[mask], (1, 99))
    scaled = DARKEST + (1 - DARKEST) * np.clip((voxels - low) / max(high - low, 1e-6), 0, 1)
    stripped = sitk.GetImageFromArray(np.where(mask, scaled, 0).astype(np.float32))
    stripped.CopyInformation(image)
    for axis, spacing in enumerate(image.GetSpacing()):
        if spacing < WORKING_SPACING_MM and image.GetSize()[axis] >= 4:
            stripped = sitk.RecursiveGaussian(stripped, sigma=0.4 * WORKING_SPACING_MM, direction=axis)
    size = [max(int(np.ceil(n * s / WORKING_SPACING_MM)), 1) for n, s in zip(image.GetSize(), image.GetSpacing())]
    spacing = [n * s / m for n, s, m in zip(image.GetSize(), image.GetSpacing(), size)]
    first = [0.5 * new / old - 0.5 for new, old in zip(spacing, image.GetSpacing())]
    origin = image.TransformContinuousIndexToPhysicalPoint(first)
    return sitk.Resample(
        stripped, size, sitk.Transform(), sitk.sitkLinear, origin, spacing, image.GetDirection(), 0.0, sitk.sitkFloat32
    )


def _around(image: sitk.Image, brain: sitk.Image) -> tuple[sitk.Image, sitk.Image]:
    """The two cut to the box of the brain and `MARGIN_MM`."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(brain)
    box = shape.GetBoundingBox(1)
    first, size = [], []
    for axis, (side, spacing) in enumerate(zip(image.GetSize(), image.GetSpacing())):
        margin = int(np.ceil(MARGIN_MM / spacing))
        first.append(max(box[axis] - margin, 0))
        size.append(min(box[axis] + box[axis + 3] + margin, side) - first[axis])
    return sitk.RegionOfInterest(image, size, first), sitk.RegionOfInterest(brain, size, first)
