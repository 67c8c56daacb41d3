"""UMA-DDPM: the unified modality-aware denoising diffusion probabilistic model (Zhao et al.)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.masking import RECTANGLES, FrequencyMask, dual_mask
from umaddpm_core.diffusion.painting import painted
from umaddpm_core.losses import Phase, dual_domain_loss
from umaddpm_core.methods.one_step import OneStepConfig, OneStepDiffusion
from umaddpm_core.networks.unet import SIZE, UNetConfig


class UMADDPMConfig(OneStepConfig):
    """Settings of the method; the defaults are the paper's, or its code lineage's where the paper is silent."""

    network: UNetConfig = Field(default_factory=UNetConfig)
    frequency_mask: FrequencyMask = Field("highpass", description="what fills the rectangles of the spatial mask")
    rectangles: int = Field(RECTANGLES, ge=0, description="of the spatial mask, at most; 0: no masking")
    painted: float = Field(0.0, ge=0, le=1, description="share of training slices with painted abnormalities to repaint (ours)")
    dual_domain: bool = Field(True, description="amplitude head and dual-domain loss; else the pixel loss alone")
    phase: Phase = Field("input", description="whose phase X_freq gets")
    log_amplitude: bool = Field(False, description="compare log(1 + amplitude) in the frequency loss")
    alpha: float = Field(1.0, ge=0, description="weight of the loss in frequency")
    beta: float = Field(1.0, ge=0, description="weight of the loss in space")


class UMADDPM(OneStepDiffusion):
    """Predicts the clean slice from one in which dual masking and a noised patch destroyed information.

    Training: rectangles of the slice are replaced by its frequency-masked copy (dual masking), one patch of the grid
    is noised to a random time step, and the U-Net, with the modality-aware module in its bottleneck, predicts the
    clean slice and the amplitude of its spectrum. Test: as its ancestors, from the unmasked slice.
    """

    name = "uma_ddpm"
    Config = UMADDPMConfig

    def __init__(self, config: UMADDPMConfig) -> None:
        super().__init__(config)
        if config.dual_domain:
            self.amplitude_bias = nn.Parameter(torch.full((1, 1, SIZE, SIZE), -3.0))

    @classmethod
    def heads_of(cls, config: UMADDPMConfig) -> tuple[str, ...]:
        return ("image", "amplitude") if config.dual_domain else ("image",)

    @torch.no_grad()
    def start_from_amplitude(self, mean_amplitude: Tensor) -> None:
        """Let the amplitude head start from the mean healthy amplitude [1, 1, 96, 96], so that the frequencies' large
        differences need not be learned by the trunk."""
        if self.config.dual_domain:
            self.amplitude_bias.copy_(torch.log(torch.expm1(mean_amplitude.clamp(1e-4, 50.0))))

    def corrupted(self, x: Tensor, brain: Tensor, draws: Draws) -> Tensor:
        """Slices with painted shapes, and dual masking (eq. 1's X̃0)."""
        config = self.config
        visible = painted(x, brain, draws, config.painted) if config.painted else x
        return dual_mask(visible, brain, draws, config.frequency_mask, config.rectangles) if config.rectangles else visible

    def predict(self, x: Tensor, t: Tensor) -> tuple[Tensor, ...]:
        """X_rec and, with the dual-domain loss, A_rec [B, 1, 96, 96] from corrupted slices x in [0, 1] and time steps t [B]."""
        x_rec, *amplitude = super().predict(x, t)
        return x_rec, *(F.softplus(one.float() + self.amplitude_bias) for one in amplitude)

    def losses(self, x: Tensor, composite: Tensor, *others: Tensor) -> dict[str, Tensor]:
        config = self.config
        if not others:
            return super().losses(x, composite)
        return dual_domain_loss(
            x, composite, *others, config.alpha, config.beta, phase=config.phase, log_amplitude=config.log_amplitude
        )
