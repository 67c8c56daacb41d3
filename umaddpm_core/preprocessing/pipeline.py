"""A scan on its way to the model's grid, and results on their way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from umaddpm_core.preprocessing.brain_extraction import brain_mask, mask_ml
from umaddpm_core.preprocessing.grid import SPACING_MM, Coverage, brain_grid, resampled, to_image, to_tensor
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN

WINDOW_PERCENTILES = (1.0, 99.0)
LOWEST_INSIDE = 1 / 255
"""Intensity of the darkest brain voxels, so that 0 always means: not brain."""


@dataclass
class PreparedScan:
    """A scan on the model's grid, with everything that is needed to bring results back to it.

    Attributes:
        volume: [1, 96, 96, S] in [0, 1], zero outside the brain.
        brain: boolean, same shape.
        grid: an empty image with the grid's geometry.
        to_native: maps points of the grid to points of the scan.
        scan: as it was read; `scan_brain` is its brain mask.
        window: intensities of the scan that became 0 and 1.
        quality: how the brain was found and how well the registration went.
    """

    volume: Tensor
    brain: Tensor
    grid: sitk.Image
    to_native: sitk.AffineTransform
    scan: sitk.Image
    scan_brain: sitk.Image
    window: tuple[float, float]
    quality: dict[str, float | str]

    def restore(self, volume: Tensor) -> sitk.Image:
        """A map [1, 96, 96, S] on the scan's own grid, linearly interpolated, 0 where the grid does not reach."""
        return resampled(to_image(volume, self.grid), self.scan, self.to_native.GetInverse(), sitk.sitkLinear)

    def restore_mask(self, mask: Tensor) -> sitk.Image:
        """A boolean region [1, 96, 96, S] on the scan's own grid: uint8, cut where its probability falls below one half."""
        return sitk.Cast(self.restore(mask.float()) >= 0.5, sitk.sitkUInt8)

    def restore_reconstruction(self, reconstruction: Tensor) -> sitk.Image:
        """The scan minus the restored residual, in the scan's units: where nothing is abnormal, the scan itself."""
        low, high = self.window
        residual = torch.where(self.brain, self.volume - reconstruction, 0.0) * (high - low)
        return sitk.Cast(self.scan, sitk.sitkFloat32) - self.restore(residual)


class Preprocessor:
    """Brings scans to the model's grid.

    Args:
        template, template_brain: images to register to; by default the population template that is shipped.
        coverage: every slice that holds brain, or the paper's central fifty.
    """

    def __init__(
        self,
        template: str | Path | None = None,
        template_brain: str | Path | None = None,
        coverage: Coverage = "brain",
    ) -> None:
        self.template = _image(str(template or TEMPLATE), sitk.sitkFloat32)
        self.template_brain = _image(str(template_brain or TEMPLATE_BRAIN), sitk.sitkUInt8)
        self.coverage = coverage

    def prepare(self, image: str | Path | sitk.Image, brain: sitk.Image | None = None) -> PreparedScan:
        """Read, strip, register, resample and scale a scan.

        Args:
            image: file or image, any orientation and spacing, with or without skull.
            brain: mask on the scan's grid, where the user has one.

        Raises:
            InputError: not a scan, no brain in it, or no way to align it.
        """
        scan = read_scan(image)
        mask, way = brain_mask(scan, brain)
        registration = register(scan, mask, self.template, self.template_brain)
        grid = brain_grid(mask, registration.transform, self.template, self.coverage)
        volume = to_tensor(resampled(_smoothed(scan), grid, registration.transform, sitk.sitkBSpline))
        inside = to_tensor(resampled(mask, grid, registration.transform, sitk.sitkLinear)) > 0.5
        low, high = np.percentile(volume[inside].numpy(), WINDOW_PERCENTILES).tolist()
        volume = ((volume - low) / max(high - low, 1e-6)).clamp(LOWEST_INSIDE, 1) * inside
        return PreparedScan(
            volume=volume,
            brain=inside,
            grid=grid,
            to_native=registration.transform,
            scan=scan,
            scan_brain=mask,
            window=(low, high),
            quality={
                "brain_from": way,
                "brain_ml": round(mask_ml(mask), 1),
                "registration_overlap": round(registration.overlap, 3),
                "registration_correlation": round(registration.correlation, 3),
            },
        )


def _smoothed(scan: sitk.Image) -> sitk.Image:
    """The scan without detail that a 2 mm grid cannot hold, along the axes that are sampled more finely."""
    for axis, spacing in enumerate(scan.GetSpacing()):
        if spacing < 0.75 * SPACING_MM:
            scan = sitk.RecursiveGaussian(scan, sigma=0.35 * SPACING_MM, direction=axis)
    return scan


@lru_cache(maxsize=4)
def _image(path: str, pixel: int) -> sitk.Image:
    return sitk.ReadImage(path, pixel)
