"""Affine registration of a brain to the template in SRI24 space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from umaddpm_core.errors import InputError

WORKING_SPACING_MM = 3.0
LOWEST_OVERLAP = 0.80
"""Dice of the registered brain with the template's below which a registration has failed."""


@dataclass(frozen=True)
class Registration:
    """`transform` maps points of the template to points of the scan; the two figures say how well."""

    transform: sitk.AffineTransform
    overlap: float
    """Dice of the registered brain mask with the template's."""
    correlation: float
    """Absolute correlation of the intensities inside the template's brain."""


def register(scan: sitk.Image, brain: sitk.Image, template: sitk.Image, template_brain: sitk.Image) -> Registration:
    """Twelve-parameter registration by mutual information, started from the brains' centres and sizes.

    Args:
        scan: any modality and grid; only what lies in `brain` is looked at.
        brain: uint8 mask on the scan's grid.
        template: brain without skull; `template_brain` is its mask.

    Raises:
        InputError: the result overlaps the template's brain by less than `LOWEST_OVERLAP`.
    """
    fixed = _working(template, template_brain)
    moving = _working(scan, brain)
    transform = _initial(brain, template_brain)
    for shrink, smoothing in (((4, 2), (4.0, 2.0)), ((2, 1), (2.0, 1.0))):
        transform = _optimised(fixed, moving, transform, shrink, smoothing)
    result = Registration(transform, *_figures(fixed, scan, brain, template_brain, transform))
    if result.overlap < LOWEST_OVERLAP:
        raise InputError(
            f"This scan could not be aligned to the brain template (overlap {result.overlap:.2f}, at least "
            f"{LOWEST_OVERLAP:.2f} is needed): it may not show a whole brain, or its header may be wrong."
        )
    return result


def _working(image: sitk.Image, brain: sitk.Image) -> sitk.Image:
    """The brain alone at the working resolution, its intensities from 0 (outside) to 1."""
    voxels = sitk.GetArrayFromImage(image).astype(np.float32)
    inside = sitk.GetArrayViewFromImage(brain) > 0
    low, high = np.percentile(voxels[inside], (1, 99))
    voxels = np.where(inside, 0.1 + 0.9 * np.clip((voxels - low) / max(high - low, 1e-6), 0, 1), 0)
    stripped = sitk.GetImageFromArray(voxels.astype(np.float32))
    stripped.CopyInformation(image)
    for axis, spacing in enumerate(image.GetSpacing()):
        if spacing < WORKING_SPACING_MM:
            stripped = sitk.RecursiveGaussian(stripped, sigma=0.4 * WORKING_SPACING_MM, direction=axis)
    size = [max(int(np.ceil(n * s / WORKING_SPACING_MM)), 1) for n, s in zip(image.GetSize(), image.GetSpacing())]
    spacing = [n * s / m for n, s, m in zip(image.GetSize(), image.GetSpacing(), size)]
    first = [0.5 * new / old - 0.5 for new, old in zip(spacing, image.GetSpacing())]
    origin = image.TransformContinuousIndexToPhysicalPoint(first)
    return sitk.Resample(
        stripped, size, sitk.Transform(), sitk.sitkLinear, origin, spacing, image.GetDirection(), 0.0, sitk.sitkFloat32
    )


def _initial(brain: sitk.Image, template_brain: sitk.Image) -> sitk.AffineTransform:
    """The map of the template's centre and volume on the scan's, axes as the headers say."""
    centre, volume = _centre_and_volume(brain)
    template_centre, template_volume = _centre_and_volume(template_brain)
    transform = sitk.AffineTransform(3)
    transform.SetCenter(template_centre)
    transform.SetTranslation([float(value) for value in np.subtract(centre, template_centre)])
    transform.Scale(float((volume / template_volume) ** (1 / 3)))
    return transform


def _centre_and_volume(mask: sitk.Image) -> tuple[tuple[float, ...], float]:
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    return shape.GetCentroid(1), shape.GetPhysicalSize(1)


def _optimised(
    fixed: sitk.Image,
    moving: sitk.Image,
    transform: sitk.AffineTransform,
    shrink: tuple[int, ...],
    smoothing: tuple[float, ...],
) -> sitk.AffineTransform:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums of several threads differ in their last digits from run to run
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=1e-3, numberOfIterations=120, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(shrink))
    method.SetSmoothingSigmasPerLevel(list(smoothing))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(sitk.AffineTransform(transform), inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError as error:
        raise InputError("This scan could not be aligned to the brain template: the two do not overlap.") from error
    return sitk.AffineTransform(found.Downcast() if found.GetName() != "CompositeTransform" else found.GetNthTransform(0).Downcast())


def _figures(fixed, scan, brain, template_brain, transform) -> tuple[float, float]:
    def on_template(image, interpolator):
        return sitk.GetArrayFromImage(sitk.Resample(image, fixed, transform, interpolator, 0.0, sitk.sitkFloat32))

    mask = on_template(sitk.Cast(brain, sitk.sitkFloat32), sitk.sitkLinear) > 0.5
    reference = sitk.Resample(template_brain, fixed, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    reference = sitk.GetArrayFromImage(reference) > 0
    overlap = 2 * np.count_nonzero(mask & reference) / max(np.count_nonzero(mask) + np.count_nonzero(reference), 1)
    both = mask & reference
    if np.count_nonzero(both) < 2:
        return overlap, 0.0
    intensities = on_template(scan, sitk.sitkLinear)[both]
    return overlap, float(abs(np.corrcoef(intensities, sitk.GetArrayFromImage(fixed)[both])[0, 1]))
