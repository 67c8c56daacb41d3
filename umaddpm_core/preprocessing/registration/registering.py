"""The affine registration of a brain to the template: recognise, align, and judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import SimpleITK as sitk

from umaddpm_core.preprocessing.choices import RegistrationBackend
from umaddpm_core.preprocessing.registration import affine, ants
from umaddpm_core.preprocessing.registration.atlas_space import on_atlas_grid
from umaddpm_core.preprocessing.registration.evidence import Evidence
from umaddpm_core.preprocessing.registration.quality import Quality, check
from umaddpm_core.preprocessing.registration.starts import best_starts, candidates

LOWEST_OVERLAP_RECOGNISED = 0.80
"""Lower than for a registration: rigidly aligned brains, as in BraTS, keep their size."""

BACKENDS = {"simpleitk": affine.refine, "ants": ants.refine}


@dataclass(frozen=True)
class Registration:
    """Where a brain lies, and how well that is known.

    Attributes:
        transform: maps points of the template to points of the scan (mm); never mirrors.
        quality: the figures it was judged by.
        way: `registered`, or `recognised` as lying in the template's space already.
        backend: `simpleitk`, `ants`, or `none` for what was recognised.
    """

    transform: sitk.AffineTransform
    quality: Quality
    way: Literal["registered", "recognised"]
    backend: RegistrationBackend | Literal["none"]

    @property
    def overlap(self) -> float:
        """Dice of the registered brain mask with the template's, within the scan's field of view."""
        return self.quality.overlap

    @property
    def correlation(self) -> float:
        """Correlation of the intensities where both are brain."""
        return self.quality.correlation


def register(
    scan: sitk.Image,
    brain: sitk.Image,
    template: sitk.Image,
    template_brain: sitk.Image,
    *,
    backend: RegistrationBackend = "simpleitk",
) -> Registration:
    """Bring a brain on the template with twelve parameters; one that lies there already is left alone.

    Turns up to some 40° away from the header's orientation, any shift, a cropped field of view and thick slices are
    found; an orientation that contradicts the header is not looked for.

    Args:
        scan: any modality and grid; only what lies in `brain` is looked at.
        brain: uint8 mask on the scan's grid.
        template: brain without skull; `template_brain` is its uint8 mask.

    Raises:
        InputError: the figures of quality are below their bounds, or the backend is not installed.
    """
    evidence = Evidence.of(scan, brain, template, template_brain)
    if on_atlas_grid(scan):
        identity = sitk.AffineTransform(3)
        quality = Quality.of(evidence, brain, template_brain, identity)
        if quality.overlap >= LOWEST_OVERLAP_RECOGNISED:
            check(quality, identity, LOWEST_OVERLAP_RECOGNISED)
            return Registration(identity, quality, "recognised", "none")
    transform = BACKENDS[backend](evidence, best_starts(evidence, candidates(brain, template_brain)))
    quality = Quality.of(evidence, brain, template_brain, transform)
    check(quality, transform)
    return Registration(transform, quality, "registered", backend)
