"""Building blocks of the U-Net."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from monai.networks.blocks.spatialattention import SpatialAttentionBlock
from monai.networks.nets.diffusion_model_unet import get_timestep_embedding
from torch import Tensor, nn


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm with as many groups, at most 32, as divide `channels` into at least four each."""
    return nn.GroupNorm(math.gcd(channels, min(32, max(channels // 4, 1))), channels)


def zeroed(layer: nn.Module) -> nn.Module:
    """The layer with all parameters zero, so that what it is added to passes unchanged at the start of training."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class TimeEmbedding(nn.Module):
    """Diffusion time step [B] to a vector [B, 4·base]: sinusoids of dimension `base`, then two linear layers."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self.base = base
        self.channels = 4 * base
        self.layers = nn.Sequential(nn.Linear(base, self.channels), nn.SiLU(), nn.Linear(self.channels, self.channels))

    def forward(self, t: Tensor) -> Tensor:
        return self.layers(get_timestep_embedding(t, self.base).to(self.layers[0].weight.dtype))


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU, convolution, twice, with the time step as scale and shift (FiLM), after Dhariwal and Nichol.

    Maps [B, inputs, H, W] and an embedding [B, embedding] to [B, outputs, H', W'], where H' is H, half of it
    (`resample="down"`) or its double (`resample="up"`). Without `film` the time step is added before the second norm
    (Ho et al.).
    """

    def __init__(self, inputs: int, outputs: int, embedding: int, resample: str | None = None, film: bool = True) -> None:
        super().__init__()
        self.resample = resample
        self.norm1 = group_norm(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.film = nn.Linear(embedding, 2 * outputs) if film else None
        self.shift = None if film else nn.Linear(embedding, outputs)
        self.norm2 = group_norm(outputs)
        self.conv2 = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self._resampled(F.silu(self.norm1(x)))
        h = self.conv1(h)
        time = F.silu(embedding)
        if self.film is not None:
            scale, shift = self.film(time)[:, :, None, None].chunk(2, dim=1)
            h = torch.addcmul(shift, self.norm2(h), 1 + scale)
        else:
            h = self.norm2(h + self.shift(time)[:, :, None, None])
        return self.skip(self._resampled(x)) + self.conv2(F.silu(h))

    def _resampled(self, x: Tensor) -> Tensor:
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        if self.resample == "up":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return x


class Head(nn.Module):
    """GroupNorm, SiLU and a zero-initialised convolution from features to `outputs` maps."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.norm = group_norm(channels)
        self.conv = zeroed(nn.Conv2d(channels, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.silu(self.norm(x)))


class MiddleBlock(nn.Module):
    """The bottleneck of DDPM, pDDPM and mDDPM: residual block, self-attention over all positions, residual block.

    Features [B, C, H, W] and the time embedding [B, E] to [B, C, H, W].
    """

    def __init__(self, channels: int, embedding: int, film: bool = True) -> None:
        super().__init__()
        self.block1 = ResidualBlock(channels, channels, embedding, film=film)
        self.attention = self_attention(channels)
        self.block2 = ResidualBlock(channels, channels, embedding, film=film)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        return self.block2(self.attention(self.block1(h, embedding)), embedding)


def self_attention(channels: int) -> nn.Module:
    """MONAI's attention over the positions of [B, C, H, W], with heads of 64 channels where they divide C, else one head."""
    heads = 64 if channels % 64 == 0 else channels
    groups = group_norm(channels).num_groups
    return SpatialAttentionBlock(2, channels, num_head_channels=heads, norm_num_groups=groups)
