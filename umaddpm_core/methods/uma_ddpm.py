"""UMA-DDPM: the unified modality-aware denoising diffusion probabilistic model (Zhao et al.)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from torch import Tensor, nn

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.masking import RECTANGLES, FrequencyMask, dual_mask
from umaddpm_core.diffusion.noise import Noise, noise_images
from umaddpm_core.diffusion.painting import painted
from umaddpm_core.diffusion.patches import noise_patch, patch_masks
from umaddpm_core.diffusion.schedule import STEPS, CosineSchedule
from umaddpm_core.losses import Phase, dual_domain_loss, pixel_loss
from umaddpm_core.methods.base import Method, Progress, check_cancelled
from umaddpm_core.networks.unet import SIZE, UNet, UNetConfig

SLICES_AT_ONCE = 16

Step = Annotated[int, Field(ge=0, lt=STEPS)]
Steps = Annotated[tuple[Step, ...], Field(min_length=1), BeforeValidator(lambda t: (t,) if isinstance(t, int) else t)]


class UMADDPMConfig(BaseModel):
    """Settings of the method; the defaults are the paper's, or its code lineage's where the paper is silent.

    `t_test`, `draws`, `shared_noise_test` and `overlap` may be changed after training.
    """

    model_config = ConfigDict(extra="forbid")

    network: UNetConfig = Field(default_factory=UNetConfig)
    grid: int = Field(2, ge=1, le=8, description="patches per side; one is noised in training, all in turn at test")
    overlap: int = Field(0, ge=0, lt=SIZE, description="pixels a patch is larger on each side; averaged where patches overlap")
    frequency_mask: FrequencyMask = Field("highpass", description="what fills the rectangles of the spatial mask")
    rectangles: int = Field(RECTANGLES, ge=0, description="of the spatial mask, at most; 0: no masking")
    painted: float = Field(0.0, ge=0, le=1, description="share of training slices with painted abnormalities to repaint (ours)")
    noise: Noise = "simplex"
    standardise: bool = Field(False, description="simplex noise of standard deviation 1 instead of 0.59")
    shared_noise: bool = Field(True, description="one noise image for a whole training batch, as the ancestors do")
    t_train: tuple[Step, Step] = Field((0, STEPS - 1), description="first and last time step drawn in training")
    dual_domain: bool = Field(True, description="amplitude head and dual-domain loss; else the pixel loss alone")
    loss_region: Literal["patch", "full"] = Field("patch", description="where the prediction counts; the rest is taken from X0")
    phase: Phase = Field("input", description="whose phase X_freq gets")
    log_amplitude: bool = Field(False, description="compare log(1 + amplitude) in the frequency loss")
    alpha: float = Field(1.0, ge=0, description="weight of the loss in frequency")
    beta: float = Field(1.0, ge=0, description="weight of the loss in space")
    t_test: Steps = Field((499,), description="time steps at which a scan is repainted; of several, the mean")
    draws: int = Field(1, ge=1, description="repaintings averaged at each of them")
    shared_noise_test: bool = Field(True, description="one noise image for all slices of a scan, as the ancestors do")
    seed: int = Field(0, description="of the noise at test")


class UMADDPM(Method):
    """Predicts the clean slice from one in which dual masking and a noised patch destroyed information.

    Training: rectangles of the slice are replaced by its frequency-masked copy (dual masking), one patch of the grid
    is noised to a random time step, and the U-Net, with the modality-aware module in its bottleneck, predicts the
    clean slice and the amplitude of its spectrum. Test: every patch is noised to `t_test` and predicted once, from the
    rest of the unmasked slice; the predictions put together are the reconstruction.

    Every image is [B, 1, 96, 96]; the network works on [-1, 1], everything else on [0, 1].
    """

    name = "uma_ddpm"
    Config = UMADDPMConfig

    def __init__(self, config: UMADDPMConfig) -> None:
        super().__init__(config)
        self.schedule = CosineSchedule()
        self.network = UNet(config.network, heads=("image", "amplitude") if config.dual_domain else ("image",))
        if config.dual_domain:
            self.amplitude_bias = nn.Parameter(torch.full((1, 1, SIZE, SIZE), -3.0))

    @torch.no_grad()
    def start_from_amplitude(self, mean_amplitude: Tensor) -> None:
        """Let the amplitude head start from the mean healthy amplitude [1, 1, 96, 96], so that the frequencies' large
        differences need not be learned by the trunk."""
        if self.config.dual_domain:
            self.amplitude_bias.copy_(torch.log(torch.expm1(mean_amplitude.clamp(1e-4, 50.0))))

    def predict(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """X_rec and A_rec [B, 1, 96, 96] from corrupted slices x in [0, 1] and time steps t [B]; A_rec None without its head."""
        image, *amplitude = self.network(2 * x - 1, t)
        a_rec = F.softplus(amplitude[0].float() + self.amplitude_bias) if amplitude else None
        return (image.float() + 1) / 2, a_rec

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x, brain = batch["image"], batch["brain"]
        visible = painted(x, brain, draws, self.config.painted) if self.config.painted else x
        if self.config.rectangles:
            visible = dual_mask(visible, brain, draws, self.config.frequency_mask, self.config.rectangles)
        return self._losses(x, visible, draws)

    def validation_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """Losses without masking, as the method is used; same arguments as `training_step`."""
        return self._losses(batch["image"], batch["image"], draws)

    def _losses(self, x: Tensor, visible: Tensor, draws: Draws) -> dict[str, Tensor]:
        config = self.config
        t = draws.integers(*config.t_train)
        patches = patch_masks(SIZE, SIZE, config.grid, config.overlap, x.device)
        patch = patches[draws.integers(0, len(patches) - 1)]
        noise = noise_images(config.noise, draws, SIZE, SIZE, shared=config.shared_noise, standardise=config.standardise)
        x_rec, a_rec = self.predict(noise_patch(visible, self._noised(visible, noise, t), patch), t)
        composite = torch.where(patch, x_rec, x) if config.loss_region == "patch" else x_rec
        if a_rec is None:
            return pixel_loss(x, composite)
        return dual_domain_loss(
            x, composite, a_rec, config.alpha, config.beta, phase=config.phase, log_amplitude=config.log_amplitude
        )

    def _noised(self, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t in the units of x: the process runs on images in [-1, 1]."""
        return (self.schedule.add_noise(2 * x - 1, noise, t) + 1) / 2

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        config = self.config
        slices = volume.permute(3, 0, 1, 2)
        occupied = slices.flatten(1).any(dim=1).nonzero()[:, 0]
        repainted = torch.zeros_like(slices)
        passes = [
            (t, draw, batch) for t in config.t_test for draw in range(config.draws) for batch in occupied.split(SLICES_AT_ONCE)
        ]
        for done, (t, draw, batch) in enumerate(passes, 1):
            check_cancelled(cancelled)
            draws = Draws.of(config.seed, batch + draw * len(slices), step=draw)
            noise = noise_images(
                config.noise, draws, SIZE, SIZE, shared=config.shared_noise_test, standardise=config.standardise
            )
            repainted[batch] += self._repaint(slices[batch], noise, t)
            if progress:
                progress(done / len(passes))
        return (repainted / (config.draws * len(config.t_test))).clamp(0, 1).permute(1, 2, 3, 0)

    def _repaint(self, x: Tensor, noise: Tensor, t: int) -> Tensor:
        """Slices [B, 1, 96, 96] with every patch noised and predicted in turn from the rest of the clean slice."""
        steps = torch.full((len(x),), t, device=x.device)
        noised = self._noised(x, noise, steps)
        patches = patch_masks(SIZE, SIZE, self.config.grid, self.config.overlap, x.device)
        total = torch.zeros_like(x)
        for patch in patches:
            x_rec, _ = self.predict(noise_patch(x, noised, patch), steps)
            total += x_rec * patch
        return total / patches.sum(0)
