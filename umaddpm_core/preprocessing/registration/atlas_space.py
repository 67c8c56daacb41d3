"""Recognising volumes that lie in SRI24 space already, as those of BraTS do."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

SIZE = 240, 240, 155
ORIGIN = 0.0, -239.0, 0.0
"""Of the first voxel (mm, LPS) once the axes run left, posterior, superior; spacing 1 mm (BraTS; SRI24 itself)."""
TOLERANCE_MM = 0.01


def on_atlas_grid(image: sitk.Image) -> bool:
    """Whether an image covers SRI24's voxels exactly; the order and direction in which it stores its axes do not matter."""
    upright = sitk.DICOMOrient(image, "LPS")
    return upright.GetSize() == SIZE and all(
        np.allclose(found, expected, atol=TOLERANCE_MM)
        for found, expected in (
            (upright.GetSpacing(), np.ones(3)),
            (upright.GetOrigin(), ORIGIN),
            (upright.GetDirection(), np.eye(3).ravel()),
        )
    )
