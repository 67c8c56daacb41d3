"""What DDPM, pDDPM, mDDPM and UMA-DDPM share: a noised patch is predicted in one step from the rest of the slice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.noise import Noise, noise_images
from umaddpm_core.diffusion.patches import noise_patch, patch_masks
from umaddpm_core.diffusion.schedule import STEPS, NoiseSchedule
from umaddpm_core.losses import pixel_loss
from umaddpm_core.methods.base import Method, Progress
from umaddpm_core.methods.slicewise import slice_by_slice
from umaddpm_core.networks.unet import SIZE, UNet, UNetConfig

Step = Annotated[int, Field(ge=0, lt=STEPS)]
Steps = Annotated[tuple[Step, ...], Field(min_length=1), BeforeValidator(lambda t: (t,) if isinstance(t, int) else t)]


class AncestorUNet(UNetConfig):
    """The U-Net of pDDPM and mDDPM: without the modality-aware module."""

    mam: bool = False


class OneStepConfig(BaseModel):
    """Settings of the family; the defaults are those of pDDPM's and mDDPM's code.

    `t_test`, `draws`, `shared_noise_test` and `overlap` may be changed after training.
    """

    model_config = ConfigDict(extra="forbid")

    network: AncestorUNet = Field(default_factory=AncestorUNet)
    grid: int = Field(2, ge=1, le=8, description="patches per side; one is noised in training, all in turn at test")
    overlap: int = Field(0, ge=0, lt=SIZE, description="pixels a patch is larger on each side; averaged where patches overlap")
    noise: Noise = "simplex"
    standardise: bool = Field(False, description="simplex noise of standard deviation 1 instead of 0.59")
    shared_noise: bool = Field(True, description="one noise image for a whole training batch, as the ancestors do")
    t_train: tuple[Step, Step] = Field((0, STEPS - 1), description="first and last time step drawn in training")
    loss_region: Literal["patch", "full"] = Field("patch", description="where the prediction counts; the rest is taken from X0")
    t_test: Steps = Field((499,), description="time steps at which a scan is repainted; of several, the mean")
    draws: int = Field(1, ge=1, description="repaintings averaged at each of them")
    shared_noise_test: bool = Field(True, description="one noise image for all slices of a scan, as the ancestors do")
    seed: int = Field(0, description="of the noise at test")


class OneStepDiffusion(Method):
    """Training: one patch of the grid is noised to a random time step, and the U-Net predicts the clean slice (x0-prediction,
    L1). Test: every patch is noised to `t_test` and predicted once; the predictions put together are the reconstruction.

    Every image is [B, 1, 96, 96]; the network works on [-1, 1], everything else on [0, 1].
    """

    Config = OneStepConfig

    def __init__(self, config: OneStepConfig) -> None:
        super().__init__(config)
        self.schedule = NoiseSchedule("cosine")
        self.network = UNet(config.network, heads=self.heads_of(config))

    @classmethod
    def heads_of(cls, config: OneStepConfig) -> tuple[str, ...]:
        """Names of the network's output maps; the first is the image."""
        return ("image",)

    def corrupted(self, x: Tensor, brain: Tensor, draws: Draws) -> Tensor:
        """What training does to clean slices before a patch is noised; here nothing."""
        return x

    def predict(self, x: Tensor, t: Tensor) -> tuple[Tensor, ...]:
        """X_rec [B, 1, 96, 96], and what other heads give, from corrupted slices x in [0, 1] and time steps t [B]."""
        image, *others = self.network(2 * x - 1, t)
        return (image.float() + 1) / 2, *others

    def losses(self, x: Tensor, composite: Tensor, *others: Tensor) -> dict[str, Tensor]:
        """Losses of X_rec where it counts, X0 elsewhere, and of what other heads gave."""
        return pixel_loss(x, composite)

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x = batch["image"]
        return self._losses(x, self.corrupted(x, batch["brain"], draws), draws)

    def validation_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """Losses of uncorrupted slices, as the method is used; same arguments as `training_step`."""
        return self._losses(batch["image"], batch["image"], draws)

    def _losses(self, x: Tensor, visible: Tensor, draws: Draws) -> dict[str, Tensor]:
        config = self.config
        t = draws.integers(*config.t_train)
        patches = patch_masks(SIZE, SIZE, config.grid, config.overlap, x.device)
        patch = patches[draws.integers(0, len(patches) - 1)]
        noise = noise_images(config.noise, draws, SIZE, SIZE, shared=config.shared_noise, standardise=config.standardise)
        x_rec, *others = self.predict(noise_patch(visible, self._noised(visible, noise, t), patch), t)
        return self.losses(x, torch.where(patch, x_rec, x) if config.loss_region == "patch" else x_rec, *others)

    def _noised(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t in the units of x: the process runs on images in [-1, 1]."""
        return (self.schedule.add_noise(2 * x - 1, noise, t) + 1) / 2

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        config = self.config
        passes = [partial(self._repaint, t, draw, volume.shape[-1]) for t in config.t_test for draw in range(config.draws)]
        return slice_by_slice(volume, passes, progress, cancelled)

    def _repaint(self, t: int, draw: int, depth: int, x: Tensor, numbers: Tensor) -> Tensor:
        """Slices [B, 1, 96, 96] with every patch noised and predicted in turn from the rest of the clean slice."""
        config = self.config
        draws = Draws.of(config.seed, numbers + draw * depth, step=draw)
        noise = noise_images(config.noise, draws, SIZE, SIZE, shared=config.shared_noise_test, standardise=config.standardise)
        steps = torch.full((len(x),), t, device=x.device)
        noised = self._noised(x, noise, steps)
        patches = patch_masks(SIZE, SIZE, config.grid, config.overlap, x.device)
        total = torch.zeros_like(x)
        for patch in patches:
            total += self.predict(noise_patch(x, noised, patch), steps)[0] * patch
        return total / patches.sum(0)
