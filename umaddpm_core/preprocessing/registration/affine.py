"""The default backend: mutual information, with SimpleITK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.interruption import checkpoint, interrupted
from umaddpm_core.preprocessing.registration.evidence import Evidence

COARSE, FINE = (4, 2), (1,)
"""Factors that shrink the working grid, one after the other; each also blurs by so many mm."""


def refine(evidence: Evidence, starts: list[sitk.AffineTransform]) -> sitk.AffineTransform:
    """Twelve parameters by mutual information (Mattes); the same to the last bit every time.

    Every start is refined at 12 and 6 mm, and the best of them at 3 mm.

    Args:
        starts: rough maps of the template's points to the scan's.

    Raises:
        InputError: the two images do not overlap.
    """
    best, _ = min((_refined(evidence, start, COARSE) for start in starts), key=lambda found: found[1])
    return _refined(evidence, best, FINE)[0]


def _refined(
    evidence: Evidence, start: sitk.AffineTransform, shrink_factors: tuple[int, ...]
) -> tuple[sitk.AffineTransform, float]:
    """The transform found, and its metric: the smaller, the better."""
    transform = sitk.AffineTransform(start)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(evidence.region)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=1e-3, numberOfIterations=120, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(shrink_factors))
    method.SetSmoothingSigmasPerLevel([float(factor) for factor in shrink_factors])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(transform, inPlace=True)
    method.AddCommand(sitk.sitkIterationEvent, lambda: interrupted() and method.StopRegistration())
    try:
        with _one_thread():
            method.Execute(evidence.template, evidence.scan)
    except RuntimeError as error:
        raise InputError("This scan could not be aligned to the brain template: the two do not overlap.") from error
    finally:
        method.RemoveAllCommands()
    checkpoint()
    return transform, method.GetMetricValue()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of several threads differ in their last digits from run to run; the metric heeds no other setting than this."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
