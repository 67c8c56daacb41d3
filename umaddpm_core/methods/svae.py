"""SVAE: the slice-sequential variational autoencoder (Behrendt et al. 2022), which sees a slice with its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.methods.base import Method, Progress, check_cancelled
from umaddpm_core.networks.autoencoder import AutoencoderConfig, Decoder, Encoder, kl_divergence


class SVAEConfig(AutoencoderConfig):
    """Settings of the encoder, and of what connects slices."""

    kl_weight: float = Field(1e-3, ge=0, description="of the KL divergence a number of the code, beside the mean L1 distance")


class SVAE(Method):
    """Encodes every slice, lets a recurrent network read the codes of neighbouring slices in both directions, and decodes.

    Paper: "Capturing inter-slice dependencies of 3D brain MRI-scans for unsupervised anomaly detection" (no public code; the
    UMA-DDPM paper's "sparse VAE" is a mistranslation). Kept: the VAE's encoder and decoder, recurrence over slices before and
    after the code. Changed, the paper being silent: bidirectional GRUs, windows of 16 slices in training, KL weight 1e-3.
    """

    name = "svae"
    Config = SVAEConfig
    window = 16

    def __init__(self, config: SVAEConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config.base)
        self.code = nn.Linear(self.encoder.features, config.latent)
        self.reading = _across_slices(config.latent)
        self.mean = nn.Linear(config.latent, config.latent)
        self.log_deviation = nn.Linear(config.latent, config.latent)
        self.writing = _across_slices(config.latent)
        self.decoder = Decoder(config.base, config.latent)

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x = batch["image"]
        mean, log_deviation = self._encoded(x.unflatten(0, (-1, self.window)))
        code = mean + torch.exp(log_deviation) * draws.normal(self.config.latent).view_as(mean)
        reconstruction = (x - self._decoded(code)).abs().mean()
        divergence = kl_divergence(mean, log_deviation).mean() / self.config.latent
        return {"loss": reconstruction + self.config.kl_weight * divergence, "reconstruction": reconstruction, "kl": divergence}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        check_cancelled(cancelled)
        slices = volume.permute(3, 0, 1, 2)
        repainted = self._decoded(self._encoded(slices[None])[0]).clamp(0, 1)
        if progress:
            progress(1.0)
        return (repainted * slices.flatten(1).any(dim=1).view(-1, 1, 1, 1)).permute(1, 2, 3, 0)

    def _encoded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log of the deviation [N, S, latent] of stacks of slices [N, S, 1, 96, 96]."""
        codes = self.code(self.encoder(x.flatten(0, 1))).unflatten(0, x.shape[:2])
        read = self.reading(codes)[0]
        return self.mean(read), self.log_deviation(read).clamp(-10, 10)

    def _decoded(self, code: Tensor) -> Tensor:
        """Slices [N·S, 1, 96, 96] of codes [N, S, latent]."""
        return self.decoder(self.writing(code)[0].flatten(0, 1))


def _across_slices(size: int) -> nn.GRU:
    """A recurrent layer that reads [N, S, size] in both directions and answers in the same shape."""
    return nn.GRU(size, size // 2, batch_first=True, bidirectional=True)
