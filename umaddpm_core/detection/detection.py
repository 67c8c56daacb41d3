"""What a detection is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import SimpleITK as sitk

from umaddpm_core.detection.lesions import Lesion

NOTICE = "Research use only. Not a medical device, not for diagnosis."
VOLUMES = ("mask", "reconstruction", "model_output", "anomaly_map", "examined", "structures")
"""The images that a detection adds to the scan."""


@dataclass
class Detection:
    """The result for one scan; every image is on the scan's own grid.

    Attributes:
        scan: as it was read.
        mask: uint8, 1 where the anomaly map exceeds the threshold.
        reconstruction: float32 in the scan's units: the scan minus the residual, so that it keeps the scan's detail
            where nothing is abnormal.
        model_output: float32 in the scan's units: what the model painted, as blurred as its grid is coarse; 0 outside the brain.
        anomaly_map: float32, what is thresholded; 1 is the scan's intensity window.
        examined: uint8, where an anomaly could have been found.
        structures: uint8, which structure of the brain lies where (`preprocessing.structures.NAMES`).
        lesions: findings of the mask, largest first.
        report: JSON-able account of the run.
    """

    scan: sitk.Image
    mask: sitk.Image
    reconstruction: sitk.Image
    model_output: sitk.Image
    anomaly_map: sitk.Image
    examined: sitk.Image
    structures: sitk.Image
    lesions: list[Lesion]
    report: dict[str, Any] = field(default_factory=dict)
