"""A recipe that stands in for the real preparation, so that tests of the filling take seconds."""

import os
import signal
import time
from types import SimpleNamespace

import SimpleITK as sitk

from umaddpm_core.data.preprocess import Recipe
from umaddpm_core.preprocessing.grid import to_tensor


class QuickPreprocessor:
    """The scan itself, scaled; a scan called `slow` takes a second, one called `deadly` ends its process."""

    def prepare(self, acquired, brain=None):
        if "deadly" in acquired.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in acquired.name:
            time.sleep(1)
        grid = sitk.Image([96, 96, 60], sitk.sitkUInt8)
        grid.SetSpacing([2.0] * 3)
        grid.SetOrigin(acquired.image.GetOrigin())
        grid.SetDirection(acquired.image.GetDirection())
        scan = sitk.Resample(acquired.image, grid)
        volume = to_tensor(scan).clamp(min=0)
        quality = {"brain_from": "mask" if brain is not None else "stand-in", "brain_ml": 1.0, "warnings": []}
        return SimpleNamespace(
            volume=volume / volume.max(),
            quality=quality,
            mask_to_grid=lambda mask: to_tensor(sitk.Resample(mask, grid, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0,
        )

    def prepare_like(self, scan, like):
        return like.volume


class QuickRecipe(Recipe):
    preprocessor = QuickPreprocessor()
