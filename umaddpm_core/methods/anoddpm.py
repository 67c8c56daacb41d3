"""AnoDDPM: partial diffusion with simplex noise, and the way back step by step (Wyatt et al., CVPR workshops 2022)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.noise import Noise, noise_images
from umaddpm_core.diffusion.schedule import STEPS, NoiseSchedule
from umaddpm_core.methods.base import Method, Progress
from umaddpm_core.methods.ddpm import DDPMUNet
from umaddpm_core.methods.slicewise import slice_by_slice
from umaddpm_core.networks.unet import SIZE, UNet


class AnoDDPMConfig(BaseModel):
    """The settings of the released code; `t_test` and `stride` may be changed after training."""

    model_config = ConfigDict(extra="forbid")

    network: DDPMUNet = Field(default_factory=DDPMUNet)
    noise: Noise = "simplex"
    t_train: int = Field(800, ge=1, lt=STEPS, description="last time step drawn in training")
    t_test: int = Field(250, ge=1, lt=STEPS, description="λ: the step a scan is noised to")
    stride: int = Field(1, ge=1, description="steps taken at once on the way back; 1 as published, more is cheaper")
    seed: int = Field(0, description="of the noise at test")


class AnoDDPM(Method):
    """Learns to predict the noise in a slice; at test a slice is noised to step λ and denoised from there.

    Kept: ε-prediction, L2, linear schedule, t up to 800, simplex noise of its own for every slice, also on the way back,
    predictions clipped to the range of images. Changed: the U-Net is the family's (attention in the middle block only), since
    the released multipliers exist for other sizes than 96; `stride`, because 250 passes a slice take too long on a CPU; the
    noise on the way back has the posterior's variance, where the released code takes β; optimiser, augmentation and weight
    average are this project's.
    """

    name = "anoddpm"
    Config = AnoDDPMConfig

    def __init__(self, config: AnoDDPMConfig) -> None:
        super().__init__(config)
        self.schedule = NoiseSchedule("linear")
        self.network = UNet(config.network, heads=("noise",))

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x = 2 * batch["image"] - 1
        t = draws.integers(0, self.config.t_train)
        noise = noise_images(self.config.noise, draws, SIZE, SIZE)
        (predicted,) = self.network(self.schedule.add_noise(x, noise, t), t)
        loss = (predicted.float() - noise).square().mean()
        return {"loss": loss, "reconstruction": loss}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        return slice_by_slice(volume, [self._denoised], progress, cancelled)

    def _denoised(self, x: Tensor, numbers: Tensor) -> Tensor:
        config = self.config
        draws = Draws.of(config.seed, numbers)
        steps = list(range(config.t_test, -1, -config.stride))
        noisy = self.schedule.add_noise(
            2 * x - 1, noise_images(config.noise, draws, SIZE, SIZE), torch.full((len(x),), config.t_test, device=x.device)
        )
        for t, earlier in zip(steps, [*steps[1:], -1]):
            (noise,) = self.network(noisy, torch.full((len(x),), t, device=x.device))
            clean = self.schedule.clean_of(noisy, noise, t)
            noisy = self.schedule.step_back(noisy, clean, noise_images(config.noise, draws, SIZE, SIZE), t, earlier)
        return ((noisy + 1) / 2).clamp(0, 1) * (x > 0)
