"""DAE: a U-Net that removes coarse noise (Kascenas, Pugeault and O'Neil, MIDL 2022)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.methods.base import Method, Progress
from umaddpm_core.methods.slicewise import slice_by_slice
from umaddpm_core.networks.denoising_unet import DenoisingUNet
from umaddpm_core.networks.unet import SIZE


class DAEConfig(BaseModel):
    """Settings of the released code, its noise as coarse in millimetres as the original's."""

    model_config = ConfigDict(extra="forbid")

    base: int = Field(64, ge=8, description="channels of the first of four levels; they double")
    deviation: float = Field(0.2, gt=0, description="of the noise")
    grain: int = Field(12, ge=1, le=SIZE, description="sides of the grid on which the noise is drawn")


class DAE(Method):
    """Coarse Gaussian noise is added to the brain; the network gives back what was there. At test nothing is added.

    Kept: network, noise, squared error inside the brain, no noise at test. Changed: a 12 × 12 grid for 96 pixels (the
    original's 16 × 16 for 128), one channel instead of four sequences, healthy people instead of tumour patients' other slices,
    and one optimiser for all methods instead of AMSGrad with restarts.
    """

    name = "dae"
    Config = DAEConfig

    def __init__(self, config: DAEConfig) -> None:
        super().__init__(config)
        self.network = DenoisingUNet(config.base)

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x, brain = batch["image"], batch["brain"]
        noisy = torch.where(brain, x + coarse_noise(draws, self.config.deviation, self.config.grain), x)
        loss = ((self.network(noisy) - x).square() * brain).mean()
        return {"loss": loss, "reconstruction": loss}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        return slice_by_slice(volume, [lambda x, _: self.network(x) * (x > 0)], progress, cancelled)


def coarse_noise(draws: Draws, deviation: float, grain: int) -> Tensor:
    """Noise [B, 1, 96, 96]: normal on a grain × grain grid, bilinear between its points, rolled by a random number of pixels
    in both directions."""
    noise = F.interpolate(draws.normal(1, grain, grain) * deviation, (SIZE, SIZE), mode="bilinear")
    rows, columns = (
        (torch.arange(SIZE, device=noise.device) + draws.integers(0, SIZE - 1, 1)) % SIZE for _ in range(2)
    )
    sample = torch.arange(len(noise), device=noise.device)[:, None, None]
    return noise[:, 0][sample, rows[:, :, None], columns[:, None, :]].unsqueeze(1)
