"""A model that does everything the shipped one does, in a fraction of the time, and whose results mean nothing."""

from __future__ import annotations

from pathlib import Path

import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection.models import find_model
from umaddpm_core.methods import build

NETWORK = {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4, "narrow_up": True}
THRESHOLD = 0.5
"""Of the calibration; higher than the shipped one, so that untrained weights do not mark half of the brain."""


def tiny_model(path: Path) -> Path:
    """Write a small UMA-DDPM with random weights and the calibration of the shipped model, without bias correction."""
    torch.manual_seed(0)
    artefact = Artefact.load(find_model(None))
    method = build("uma_ddpm", {"network": NETWORK})
    artefact.config, artefact.weights = method.config.model_dump(mode="json"), method.state_dict()
    artefact.preprocessing["bias_correction"] = False
    for calibration in artefact.calibration.values():
        # The quality report compares grey values with those of scans prepared otherwise.
        calibration.pop("intensity", None)
        for thresholds in calibration["scores"].values():
            for threshold in thresholds.values():
                threshold["value"] = THRESHOLD
    return artefact.save(path, torch.float16)
