"""VAE: a variational autoencoder of slices (Kingma and Welling 2014, as compared by Baur et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.methods.base import Method, Progress
from umaddpm_core.methods.slicewise import slice_by_slice
from umaddpm_core.networks.autoencoder import AutoencoderConfig, Decoder, Encoder, kl_divergence


class VAEConfig(AutoencoderConfig):
    """Settings of Baur et al.'s comparative study."""

    kl_weight: float = Field(1.0, ge=0, description="of the KL divergence beside the L1 distance summed over pixels")


class VAE(Method):
    """Encodes a slice into a distribution of 128 numbers and decodes its mean.

    Kept: network, L1 summed over pixels plus KL divergence. Changed: four stages of stride 2 for 96 pixels instead of 128;
    the loss is divided by the number of pixels, so that clipping of gradients means what it means for the others; a budget of
    slices instead of early stopping.
    """

    name = "vae"
    Config = VAEConfig

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config.base)
        self.dropout = nn.Dropout(config.dropout)
        self.mean = nn.Linear(self.encoder.features, config.latent)
        self.log_deviation = nn.Linear(self.encoder.features, config.latent)
        self.decoder = Decoder(config.base, config.latent)

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        x = batch["image"]
        features = self.dropout(self.encoder(x))
        mean, log_deviation = self.mean(features), self.log_deviation(features).clamp(-10, 10)
        code = mean + torch.exp(log_deviation) * draws.normal(self.config.latent)
        reconstruction = (x - self.decoder(code)).abs().mean()
        divergence = kl_divergence(mean, log_deviation).mean() / x[0].numel()
        return {"loss": reconstruction + self.config.kl_weight * divergence, "reconstruction": reconstruction, "kl": divergence}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        return slice_by_slice(volume, [lambda x, _: self.decoder(self.mean(self.encoder(x)))], progress, cancelled)
