"""Intensities: the coil's shading removed, noise smoothed on request, and the scan's own scale kept for the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from umaddpm_core.interruption import checkpoint, interrupted

WINDOW_PERCENTILES = (1.0, 99.0)
LOWEST_INSIDE = 1 / 255
"""Intensity of the darkest brain voxels, so that 0 always means: not brain."""

FIELD_SPACING_MM = 6.0
FIELD_ITERATIONS = (50, 50, 50)
"""At three levels of the B-spline; a fourth would follow large lesions."""

FLOW_STEP, FLOW_ITERATIONS = 0.125, 3


@dataclass(frozen=True)
class Window:
    """The intensities that became 0 and 1."""

    low: float
    high: float

    @classmethod
    def of(cls, volume: Tensor, brain: Tensor) -> Window:
        """From the 1st to the 99th percentile of the brain."""
        low, high = np.percentile(volume[brain].numpy(), WINDOW_PERCENTILES).tolist()
        return cls(low, max(high, low + 1e-6))

    @property
    def width(self) -> float:
        return self.high - self.low

    def apply(self, volume: Tensor, brain: Tensor) -> Tensor:
        """The volume in [0, 1]: above 0 in the brain, 0 outside it."""
        return ((volume - self.low) / self.width).clamp(LOWEST_INSIDE, 1) * brain

    def undo(self, volume: Tensor) -> Tensor:
        """A volume in [0, 1] in the scan's units."""
        return torch.as_tensor(volume) * self.width + self.low


def bias_field(scan: sitk.Image, brain: sitk.Image) -> sitk.Image | None:
    """The coil's shading, by which the true intensities were multiplied: float32 on the scan's grid, median 1 in the brain.

    Args:
        scan: float32, skull or not.
        brain: uint8 mask on the same grid.

    Returns:
        The field, or None where intensities are not proportional to the signal (a scan with zero or negative
        intensities in the brain's core), so that there is no factor to find.

    Source: Tustison et al. 2010, N4ITK. On a shrunken grid: 6 mm gives the field of 4 mm to 0.5 % in a third of its time.
    """
    inside = sitk.GetArrayViewFromImage(brain) > 0
    lowest = np.percentile(sitk.GetArrayViewFromImage(scan)[inside], WINDOW_PERCENTILES[0])
    if lowest <= 0:
        return None
    shrink = [max(1, int(FIELD_SPACING_MM // spacing)) for spacing in scan.GetSpacing()]
    shrink = [min(factor, max(1, side // 4)) for factor, side in zip(shrink, scan.GetSize())]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)  # sums of several threads differ in their last digits from run to run
    n4.SetMaximumNumberOfIterations(FIELD_ITERATIONS)
    n4.AddCommand(sitk.sitkIterationEvent, lambda: interrupted() and n4.Abort())
    try:
        n4.Execute(sitk.Maximum(sitk.Shrink(scan, shrink), float(lowest)), sitk.Shrink(brain, shrink))
    finally:
        n4.RemoveAllCommands()
        checkpoint()
    logarithm = n4.GetLogBiasFieldAsImage(scan)
    centre = float(np.median(sitk.GetArrayViewFromImage(logarithm)[inside]))
    return sitk.Cast(sitk.Exp(logarithm - centre), sitk.sitkFloat32)


def denoised(scan: sitk.Image) -> sitk.Image:
    """The scan after the curvature flow of the ancestors' reader (pDDPM: `CurvatureFlow`, step 0.125, three iterations)."""
    return sitk.CurvatureFlow(scan, timeStep=FLOW_STEP, numberOfIterations=FLOW_ITERATIONS)
