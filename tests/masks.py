"""Whether a mask belongs to a scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk


def assert_same_grid(image: sitk.Image, scan: sitk.Image) -> None:
    assert image.GetSize() == scan.GetSize()
    np.testing.assert_allclose(image.GetSpacing(), scan.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(image.GetOrigin(), scan.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(image.GetDirection(), scan.GetDirection(), atol=1e-5)


def assert_is_mask_of(image: sitk.Image, scan: Path) -> None:
    assert image.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(sitk.GetArrayViewFromImage(image))) <= {0, 1}
    assert_same_grid(image, sitk.ReadImage(str(scan)))
