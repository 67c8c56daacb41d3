"""A scan as it was acquired, with what its file says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.preprocessing.reading.files import READABLE


@dataclass(frozen=True)
class AcquiredScan:
    """A scan on its own grid, and what is known of it.

    Attributes:
        image: float32, three-dimensional, with its own size, spacing (mm), origin and direction (LPS).
        name: what reports and error messages call it.
        modality: `T1`, `T2`, `FLAIR`, `PD` or `contrast-enhanced T1`; None where nothing tells, or two things disagree.
        tags: facts about the acquisition by DICOM keyword, only those that are known; nothing that names the patient.
        warnings: one sentence for everything that could be read but should be looked at.
    """

    image: sitk.Image
    name: str
    modality: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def scan_name(source: str | Path) -> str:
    """File name without its image suffix: `case.nii.gz` gives `case`."""
    name = Path(source).name
    for suffix in sorted(READABLE, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def same_grid(first: sitk.Image, second: sitk.Image, tolerance: float = 1e-3) -> bool:
    """Whether two images have the same size, and spacing, origin and direction within `tolerance` (mm)."""
    return first.GetSize() == second.GetSize() and all(
        np.allclose(getattr(first, attribute)(), getattr(second, attribute)(), atol=tolerance)
        for attribute in ("GetSpacing", "GetOrigin", "GetDirection")
    )
