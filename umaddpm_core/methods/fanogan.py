"""f-AnoGAN: a generative adversarial network of healthy slices, and an encoder into it (Schlegl et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.methods.base import Method, Progress
from umaddpm_core.methods.slicewise import slice_by_slice
from umaddpm_core.networks.autoencoder import Decoder, Encoder, layer_norm


class FAnoGANConfig(BaseModel):
    """Settings of the original, with the networks of Baur et al.'s version for MRI."""

    model_config = ConfigDict(extra="forbid")

    base: int = Field(32, ge=4, description="filters of the first stage of all three networks")
    latent: int = Field(128, ge=1, description="size of the code of a slice")
    penalty: float = Field(10.0, ge=0, description="weight of the critic's gradient penalty")
    critic_steps: int = Field(5, ge=1, description="steps of the critic for one of the generator")
    kappa: float = Field(1.0, ge=0, description="weight of the distance of the critic's features in the encoder's loss")
    adversarial_share: float = Field(0.7, gt=0, lt=1, description="of the run that trains generator and critic; the rest, the encoder")


class FAnoGAN(Method):
    """A Wasserstein GAN with gradient penalty learns to make healthy slices; then, both fixed, an encoder learns which code gives
    a slice (izi_f). At test a slice is encoded and generated.

    Kept: both phases and their losses, five critic steps for one of the generator, tanh on the code. Changed: networks with
    layer norms and a sigmoid, as Baur et al. use them for MRI, of four stages for 96 pixels; Adam's settings are those of the
    training preset; the run is divided between the phases by share.
    """

    name = "fanogan"
    Config = FAnoGANConfig
    alternates = True

    def __init__(self, config: FAnoGANConfig) -> None:
        super().__init__(config)
        self.decoder = Decoder(config.base, config.latent, layer_norm)
        self.critic = Encoder(config.base, layer_norm)
        self.judgement = nn.Linear(self.critic.features, 1)
        self.encoder = Encoder(config.base, layer_norm)
        self.code = nn.Linear(self.encoder.features, config.latent)

    def generated(self, code: Tensor) -> Tensor:
        """Slices [B, 1, 96, 96] in [0, 1] of codes [B, latent]."""
        return torch.sigmoid(self.decoder(code))

    def encoded(self, x: Tensor) -> Tensor:
        """Codes [B, latent] in [-1, 1] of slices."""
        return torch.tanh(self.code(self.encoder(x)))

    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """The loss of one of the three networks; which it is, `batch["step"]` and `batch["progress"]` say."""
        x, config = batch["image"], self.config
        if float(batch.get("progress", 0.0)) >= config.adversarial_share:
            return self._encoder_loss(x)
        code = draws.normal(config.latent)
        if int(batch.get("step", 0)) % (config.critic_steps + 1) < config.critic_steps:
            return self._critic_loss(x, code, draws)
        with _fixed(self.critic, self.judgement):
            return {"loss": -self._judged(self.generated(code)).mean()}

    @torch.no_grad()
    def validation_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """How far a slice is from what is generated from its code."""
        reconstruction = (batch["image"] - self.generated(self.encoded(batch["image"]))).abs().mean()
        return {"loss": reconstruction, "reconstruction": reconstruction}

    @torch.inference_mode()
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        return slice_by_slice(volume, [lambda x, _: self.generated(self.encoded(x)) * (x > 0)], progress, cancelled)

    def _judged(self, x: Tensor) -> Tensor:
        return self.judgement(self.critic(x)).float()

    def _critic_loss(self, x: Tensor, code: Tensor, draws: Draws) -> dict[str, Tensor]:
        with torch.no_grad():
            false = self.generated(code).float()
        distance = self._judged(x).mean() - self._judged(false).mean()
        between = torch.lerp(false, x, draws.uniform(1, 1, 1)).requires_grad_()
        (slope,) = torch.autograd.grad(self._judged(between).sum(), between, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        return {"loss": self.config.penalty * penalty - distance, "wasserstein": distance, "penalty": penalty}

    def _encoder_loss(self, x: Tensor) -> dict[str, Tensor]:
        with _fixed(self.decoder, self.critic, self.judgement):
            again = self.generated(self.encoded(x))
            features = F.mse_loss(self.critic.maps(again), self.critic.maps(x))
        reconstruction = F.mse_loss(again, x)
        return {"loss": reconstruction + self.config.kappa * features, "reconstruction": reconstruction, "features": features}


@contextmanager
def _fixed(*networks: nn.Module) -> Iterator[None]:
    """Gradients pass through these networks and do not reach their weights: an optimiser leaves alone what has none."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
