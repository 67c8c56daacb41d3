"""The baseline without learning: how unusual is the intensity of a voxel?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.methods.base import Method, Progress, check_cancelled

LARGEST_DEPTH = 96
"""Slices of the population; scans are aligned to it by their middle slice."""
SMALLEST_DEVIATION = 0.03


class IntensityConfig(BaseModel):
    """`bright`, `dark` and `two_sided` look at the scan alone, `population` at its deviation from the healthy mean."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["bright", "dark", "two_sided", "population"] = "population"


class Intensity(Method):
    """A reconstruction for each kind such that scan minus reconstruction is the kind's score.

    bright: 0 everywhere; dark: 1; two-sided: the median of the brain; population: the residual is the voxel-wise
    z-score against the healthy population, in units of its mean standard deviation.
    """

    name = "intensity"
    Config = IntensityConfig
    learned = False

    def __init__(self, config: IntensityConfig) -> None:
        super().__init__(config)
        self.register_buffer("mean", torch.zeros(1, 96, 96, LARGEST_DEPTH))
        self.register_buffer("deviation", torch.ones(1, 96, 96, LARGEST_DEPTH))

    @torch.no_grad()
    def fit(self, volumes: Iterable[Tensor]) -> Intensity:
        """Learn mean and standard deviation of healthy volumes [1, 96, 96, S], voxel by voxel."""
        stack = torch.stack([centred(volume, LARGEST_DEPTH) for volume in volumes])
        self.mean.copy_(stack.mean(0))
        self.deviation.copy_(stack.std(0).clamp_min(SMALLEST_DEVIATION))
        return self

    def population_mean(self, depth: int) -> Tensor:
        """The mean healthy volume [1, 96, 96, depth]."""
        return centred(self.mean, depth)

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """Nothing is learned by gradient; the loss says how far slices are from their mean."""
        return {"loss": (batch["image"] - batch["image"].mean()).abs().mean().requires_grad_()}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        check_cancelled(cancelled)
        brain = volume > 0
        if self.config.kind == "bright":
            healthy = torch.zeros_like(volume)
        elif self.config.kind == "dark":
            healthy = torch.ones_like(volume)
        elif self.config.kind == "two_sided":
            healthy = torch.full_like(volume, float(volume[brain].median()))
        else:
            depth = volume.shape[-1]
            deviation = centred(self.deviation, depth)
            z = (volume - centred(self.mean, depth)) / deviation
            healthy = volume - z * deviation[brain].mean()
        if progress:
            progress(1.0)
        return torch.where(brain, healthy, volume)


def centred(volume: Tensor, depth: int) -> Tensor:
    """A volume [..., S] cropped or zero-padded to `depth` slices around its middle."""
    missing = depth - volume.shape[-1]
    before = int(missing / 2)
    return torch.nn.functional.pad(volume, (before, missing - before))
