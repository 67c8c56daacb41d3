"""The default backend: mutual information, with SimpleITK."""

from __future__ import annotations

from threading import Lock

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
        with ONE_THREAD:
            method.Execute(evidence.template, evidence.scan)
    except RuntimeError as error:
        raise InputError("This scan could not be aligned to the brain template: the two do not overlap.") from error
    finally:
        method.RemoveAllCommands()
    checkpoint()
    return transform, method.GetMetricValue()


class _OneThread:
    """Sums of several threads differ in their last digits from run to run; the metric heeds no other setting than ITK's global
    one: the first of several alignments at once sets it, and the last sets it back."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = Lock(), 0, 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
                sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(self._before)


ONE_THREAD = _OneThread()
