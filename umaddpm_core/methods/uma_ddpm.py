"""UMA-DDPM: the unified modality-aware denoising diffusion probabilistic model (Zhao et al.)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from umaddpm_core.diffusion.masking import FrequencyMask, dual_mask
from umaddpm_core.diffusion.patches import noise_patch, patch_masks
from umaddpm_core.diffusion.schedule import STEPS, CosineSchedule
from umaddpm_core.diffusion.simplex import simplex_noise
from umaddpm_core.losses import dual_domain_loss
from umaddpm_core.methods.base import Method, Progress, check_cancelled
from umaddpm_core.networks.unet import UNet, UNetConfig

SIZE = 96
"""Sides of a slice in pixels."""
SLICES_AT_ONCE = 16


class UMADDPMConfig(BaseModel):
    """Settings of the method. `t_test`, `draws` and `shared_noise_test` may be changed after training."""

    model_config = ConfigDict(extra="forbid")

    network: UNetConfig = Field(default_factory=UNetConfig)
    grid: int = Field(2, ge=1, description="patches per side; one is noised in training, all in turn at test")
    frequency_mask: FrequencyMask = "highpass"
    alpha: float = Field(1.0, ge=0, description="weight of the loss in frequency")
    beta: float = Field(1.0, ge=0, description="weight of the loss in space")
    shared_noise: bool = Field(True, description="one noise image for a whole training batch, as the ancestors do")
    t_test: int = Field(499, ge=0, lt=STEPS, description="index of the time step at which a scan is repainted")
    draws: int = Field(1, ge=1, description="repaintings averaged at test")
    shared_noise_test: bool = Field(True, description="one noise image for all slices of a scan, as the ancestors do")
    seed: int = Field(0, description="of the noise at test")


class UMADDPM(Method):
    """Predicts the clean slice from one in which dual masking and a noised patch destroyed information.

    Training: rectangles of the slice are replaced by its frequency-masked copy (dual masking), one patch of the grid
    is noised to a random time step, and the U-Net, with the modality-aware module in its bottleneck, predicts the
    clean slice and the amplitude of its spectrum. Test: every patch is noised to `t_test` and predicted once, from the
    rest of the unmasked slice; the predictions put together are the reconstruction.
    """

    name = "uma_ddpm"
    Config = UMADDPMConfig

    def __init__(self, config: UMADDPMConfig) -> None:
        super().__init__(config)
        self.schedule = CosineSchedule()
        self.network = UNet(config.network, heads=("image", "amplitude"))
        self.amplitude_bias = nn.Parameter(torch.full((1, 1, SIZE, SIZE), -3.0))

    @torch.no_grad()
    def start_from_amplitude(self, mean_amplitude: Tensor) -> None:
        """Let the amplitude head start from the mean healthy amplitude [1, 1, 96, 96], so that the frequencies' large
        differences need not be learned by the trunk."""
        self.amplitude_bias.copy_(torch.log(torch.expm1(mean_amplitude.clamp(1e-4, 50.0))))

    def predict(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """X_rec and A_rec [B, 1, 96, 96] from corrupted slices x in [0, 1] and time steps t [B]."""
        image, amplitude = self.network(2 * x - 1, t)
        return (image.float() + 1) / 2, F.softplus(amplitude.float() + self.amplitude_bias)

    def training_step(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        x, brain = batch["image"], batch["brain"]
        masked = dual_mask(x, brain, generator, self.config.frequency_mask)
        return self._losses(x, masked, generator)

    def validation_step(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Losses without masking, as the method is used; same arguments as `training_step`."""
        return self._losses(batch["image"], batch["image"], generator)

    def _losses(self, x: Tensor, visible: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        count = x.shape[0]
        t = torch.randint(STEPS, (count,), generator=generator, device=x.device)
        patches = patch_masks(SIZE, SIZE, self.config.grid, x.device)
        patch = patches[torch.randint(len(patches), (count,), generator=generator, device=x.device)]
        noise = simplex_noise(1 if self.config.shared_noise else count, SIZE, SIZE, generator)
        corrupted = noise_patch(visible, self._noised(visible, noise.expand_as(visible), t), patch)
        image, amplitude = self.predict(corrupted, t)
        composite = torch.where(patch, image, x)
        return dual_domain_loss(x, composite, amplitude, self.config.alpha, self.config.beta)

    def _noised(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t in the units of x: the process runs on images in [-1, 1]."""
        return (self.schedule.add_noise(2 * x - 1, noise, t) + 1) / 2

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        slices = volume.permute(3, 0, 1, 2)
        occupied = slices.flatten(1).any(dim=1).nonzero()[:, 0]
        repainted = torch.zeros_like(slices)
        batches = occupied.split(SLICES_AT_ONCE)
        generator = torch.Generator(device=volume.device).manual_seed(self.config.seed)
        for draw in range(self.config.draws):
            noise = simplex_noise(1 if self.config.shared_noise_test else len(occupied), SIZE, SIZE, generator)
            noise = noise.expand(len(occupied), -1, -1, -1).split(SLICES_AT_ONCE)
            for number, (batch, batch_noise) in enumerate(zip(batches, noise)):
                check_cancelled(cancelled)
                repainted[batch] += self._repaint(slices[batch], batch_noise)
                if progress:
                    progress((draw * len(batches) + number + 1) / (self.config.draws * len(batches)))
        return (repainted / self.config.draws).clamp(0, 1).permute(1, 2, 3, 0)

    def _repaint(self, x: Tensor, noise: Tensor) -> Tensor:
        """Slices [B, 1, 96, 96] with every patch noised and predicted in turn from the rest of the clean slice."""
        t = torch.full((len(x),), self.config.t_test, device=x.device)
        noised = self._noised(x, noise, t)
        merged = x
        for patch in patch_masks(SIZE, SIZE, self.config.grid, x.device):
            image, _ = self.predict(noise_patch(x, noised, patch), t)
            merged = torch.where(patch, image, merged)
        return merged
