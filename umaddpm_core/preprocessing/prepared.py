"""A scan on the model's grid, and the exact way back to its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk
import torch
from torch import Tensor

from umaddpm_core.preprocessing.grid import antialiased, resampled, to_image, to_tensor
from umaddpm_core.preprocessing.intensity import Window


@dataclass
class PreparedScan:
    """A scan on the model's grid, with everything that is needed to bring results back to it.

    Attributes:
        volume: [1, 96, 96, S] in [0, 1], zero outside the brain.
        brain: boolean, same shape.
        grid: an empty image with the grid's geometry.
        to_native: maps points of the grid to points of the scan.
        scan: as it was read; `scan_brain` is its brain mask.
        window: intensities, after bias correction, that became 0 and 1.
        bias: the factor by which the coil's shading multiplied the scan, on its grid; None where it was not corrected.
        quality: how the brain was found, how well the registration went, what the picture shows (see `quality.assess`), and
            the reader's warnings, one sentence each.
    """

    volume: Tensor
    brain: Tensor
    grid: sitk.Image
    to_native: sitk.AffineTransform
    scan: sitk.Image
    scan_brain: sitk.Image
    window: Window
    bias: sitk.Image | None
    quality: dict[str, Any]

    def mask_to_grid(self, mask: sitk.Image) -> Tensor:
        """A mask on the scan's grid (non-zero is inside) on the model's: boolean [1, 96, 96, S], where at least half a
        voxel is covered."""
        share = antialiased(sitk.Cast(mask != 0, sitk.sitkFloat32))
        return to_tensor(resampled(share, self.grid, self.to_native, sitk.sitkLinear)) >= 0.5

    def restore(self, volume: Tensor) -> sitk.Image:
        """A map [1, 96, 96, S] on the scan's own grid, linearly interpolated, 0 where the grid does not reach."""
        return resampled(to_image(volume, self.grid), self.scan, self.to_native.GetInverse(), sitk.sitkLinear)

    def restore_labels(self, labels: sitk.Image) -> sitk.Image:
        """Labels in template space on the scan's own grid, the nearest one; 0 where they do not reach."""
        return sitk.Resample(labels, self.scan, self.to_native.GetInverse(), sitk.sitkNearestNeighbor, 0.0, labels.GetPixelID())

    def restore_mask(self, mask: Tensor) -> sitk.Image:
        """A boolean region [1, 96, 96, S] on the scan's own grid: uint8, cut where its probability falls below one half."""
        return sitk.Cast(self.restore(mask.float()) >= 0.5, sitk.sitkUInt8)

    def restore_reconstruction(self, reconstruction: Tensor) -> sitk.Image:
        """The scan minus the restored residual, in the scan's units and shading: where nothing is abnormal, the scan itself."""
        residual = self.restore(torch.where(self.brain, self.volume - reconstruction, 0.0) * self.window.width)
        return self.scan - (residual if self.bias is None else residual * self.bias)

    def restore_model_output(self, reconstruction: Tensor) -> sitk.Image:
        """The reconstruction itself, in the scan's units and shading, 0 outside the brain."""
        healthy = self.restore(self.window.undo(reconstruction))
        return sitk.Mask(healthy if self.bias is None else healthy * self.bias, self.scan_brain)
