"""The steps from a scan as acquired to the model's grid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import SimpleITK as sitk
from torch import Tensor

from umaddpm_core.errors import InputError, naming
from umaddpm_core.preprocessing.brain_extraction import brain_mask, mask_ml
from umaddpm_core.preprocessing.grid import antialiased, brain_grid, resampled, to_tensor
from umaddpm_core.preprocessing.intensity import Window, bias_field, denoised
from umaddpm_core.preprocessing.prepared import PreparedScan
from umaddpm_core.preprocessing.quality.picture import cavity_ml, detail, likeness
from umaddpm_core.preprocessing.reading import AcquiredScan, read_scan, same_grid
from umaddpm_core.preprocessing.registration import read_atlas, register
from umaddpm_core.preprocessing.settings import PreprocessingSettings

FINDING = "finding the brain"
ALIGNING = "aligning it to the atlas"
SHADING = "removing the shading"
GRIDDING = "bringing it to the model's grid"
PHASES = (FINDING, ALIGNING, SHADING, GRIDDING)
"""What `Preprocessor.prepare` does, in this order and in the words that it tells."""


class Preprocessor:
    """Brings scans to the model's grid.

    Args:
        settings: as the model's training scans were prepared.
        template, template_brain: atlas to register to and its mask, as for `read_atlas`; by default what is shipped.
    """

    def __init__(
        self,
        settings: PreprocessingSettings = PreprocessingSettings(),
        *,
        template: str | Path | None = None,
        template_brain: str | Path | None = None,
    ) -> None:
        self.settings = settings
        self.template, self.template_brain = read_atlas(template and Path(template), template_brain and Path(template_brain))

    def prepare(
        self,
        image: str | Path | sitk.Image | AcquiredScan,
        brain: sitk.Image | None = None,
        *,
        step: Callable[[float, str], None] = lambda share, phase: None,
    ) -> PreparedScan:
        """Read, strip, register, correct, resample and scale a scan.

        Args:
            image: scan that was read, or what `read_scan` takes; any orientation and spacing, with or without skull.
            brain: mask on the scan's grid, where the user has one.
            step: told before each step what share of the work is done, 0–1, and what comes next; may raise to stop.

        Raises:
            InputError: not a scan, no brain in it, a mask that does not fit, or no way to align it.
        """
        acquired = image if isinstance(image, AcquiredScan) else read_scan(image)
        scan, settings = acquired.image, self.settings
        if brain is not None and not same_grid(brain, scan):
            raise InputError(f"The brain mask does not lie on the grid of {acquired.name}: size, spacing, origin or axes differ.")
        with naming(acquired.name):
            step(0.0, FINDING)
            mask, way = brain_mask(scan, brain, settings.brain_extraction)
            step(0.25, ALIGNING)
            registration = register(scan, mask, self.template, self.template_brain, backend=settings.registration)
        step(0.6, SHADING)
        bias = bias_field(scan, mask) if settings.bias_correction else None
        step(0.9, GRIDDING)
        grid = brain_grid(mask, registration.transform, self.template, settings.coverage)
        volume, inside, window = self._on_grid(scan, mask, bias, grid, registration.transform)
        template = to_tensor(resampled(self.template, grid, sitk.Transform(), sitk.sitkLinear))
        return PreparedScan(
            volume=volume,
            brain=inside,
            grid=grid,
            to_native=registration.transform,
            scan=scan,
            scan_brain=mask,
            window=window,
            bias=bias,
            quality={
                "warnings": list(acquired.warnings),
                "brain_from": way,
                "brain_ml": round(mask_ml(mask), 1),
                "registration": registration.way,
                "registration_backend": registration.backend,
                "registration_overlap": round(registration.overlap, 3),
                "registration_correlation": round(registration.correlation, 3),
                "registration_information": round(registration.quality.information, 3),
                "brain_in_view": round(registration.quality.visible, 3),
                "thickest_spacing_mm": round(max(scan.GetSpacing()), 2),
                "likeness": round(likeness(volume, inside, template), 3),
                "detail": round(detail(volume, inside), 3),
                "cavity_ml": round(cavity_ml(volume, inside, template), 1),
                "bias_corrected": bias is not None,
                "window": [round(window.low, 3), round(window.high, 3)],
            },
        )

    def prepare_like(self, scan: sitk.Image, like: PreparedScan) -> Tensor:
        """Another sequence of a prepared head, voxel by voxel where that one is: [1, 96, 96, S] in [0, 1].

        Args:
            scan: on the grid of `like.scan`; brain mask and alignment are taken from there.

        Raises:
            InputError: it lies on another grid.
        """
        if not same_grid(scan, like.scan):
            raise InputError("The two scans do not lie on one grid: size, spacing, origin or axes differ.")
        bias = bias_field(scan, like.scan_brain) if self.settings.bias_correction else None
        return self._on_grid(scan, like.scan_brain, bias, like.grid, like.to_native)[0]

    def _on_grid(
        self, scan: sitk.Image, brain: sitk.Image, bias: sitk.Image | None, grid: sitk.Image, to_scan: sitk.Transform
    ) -> tuple[Tensor, Tensor, Window]:
        """The corrected scan and its brain on the model's grid, and the window of its intensities."""
        corrected = scan if bias is None else scan / bias
        if self.settings.curvature_flow:
            corrected = denoised(corrected)
        volume = to_tensor(resampled(antialiased(corrected), grid, to_scan, sitk.sitkBSpline))
        inside = to_tensor(resampled(brain, grid, to_scan, sitk.sitkLinear)) > 0.5
        window = Window.of(volume, inside)
        return window.apply(volume, inside), inside, window
