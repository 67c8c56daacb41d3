"""The unified convolutional autoencoder of Baur et al. (2021), of which VAE, SVAE and f-AnoGAN are made."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from umaddpm_core.networks.unet import SIZE

Norm = Callable[[int], nn.Module]

STAGES = 4
SIDE = SIZE // 2**STAGES
"""Sides of the feature map between encoder and decoder: 6 pixels (8 at the original's 128)."""
WIDEST = 4
"""Channels of the widest stage over those of the first."""


class AutoencoderConfig(BaseModel):
    """Size of encoder and decoder; the defaults are the original's."""

    model_config = ConfigDict(extra="forbid")

    base: int = Field(32, ge=4, description="filters of the first stage; they double up to four times as many")
    latent: int = Field(128, ge=1, description="size of the code of a slice")
    dropout: float = Field(0.1, ge=0, lt=1)


def layer_norm(channels: int) -> nn.Module:
    """Mean and deviation over channels and positions of one sample: what a WGAN-GP critic may use."""
    return nn.GroupNorm(1, channels)


class Encoder(nn.Module):
    """Slices [B, 1, 96, 96] to features [B, `features`]: 5×5 convolutions of stride 2, then 1×1 to an eighth of the channels.

    `maps` gives the features of the last stage, [B, C, 6, 6].
    """

    def __init__(self, base: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        widths = _widths(base)
        layers: list[nn.Module] = []
        for inputs, outputs in zip([1, *widths], widths):
            layers += [nn.Conv2d(inputs, outputs, 5, stride=2, padding=2), norm(outputs), nn.LeakyReLU(0.2)]
        self.stages = nn.Sequential(*layers)
        self.narrow = nn.Conv2d(widths[-1], widths[-1] // 8 or 1, 1)
        self.features = self.narrow.out_channels * SIDE**2

    def maps(self, x: Tensor) -> Tensor:
        return self.stages(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(self.stages(x)).flatten(1)


class Decoder(nn.Module):
    """Codes [B, `latent`] to images [B, 1, 96, 96], without a final activation: the encoder's mirror image."""

    def __init__(self, base: int, latent: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        widths = _widths(base)[::-1]
        self.narrow = widths[0] // 8 or 1
        self.dense = nn.Linear(latent, self.narrow * SIDE**2)
        layers: list[nn.Module] = [nn.Conv2d(self.narrow, widths[0], 1), norm(widths[0]), nn.ReLU()]
        for inputs, outputs in zip(widths, [*widths[1:], widths[-1]]):
            layers += [nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=1), norm(outputs), nn.LeakyReLU(0.2)]
        self.stages = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1))

    def forward(self, code: Tensor) -> Tensor:
        return self.stages(self.dense(code).view(len(code), self.narrow, SIDE, SIDE))


def kl_divergence(mean: Tensor, log_deviation: Tensor) -> Tensor:
    """KL divergence of diagonal normal distributions [..., D] from the standard one, summed over D."""
    return 0.5 * (mean.square() + torch.exp(2 * log_deviation) - 1 - 2 * log_deviation).sum(-1)


def _widths(base: int) -> list[int]:
    return [base * min(WIDEST, 2**stage) for stage in range(STAGES)]
