"""The denoising U-Net of the DDPM family (after Dhariwal and Nichol), with a modality-aware bottleneck."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from umaddpm_core.networks.blocks import Head, MiddleBlock, ResidualBlock, TimeEmbedding
from umaddpm_core.networks.modality_aware import ModalityAwareModule
from umaddpm_core.networks.selective_scan import Backend

SIZE = 96
"""Sides of a slice in pixels."""


class UNetConfig(BaseModel):
    """Size of the network. The defaults are the reference width of pDDPM and mDDPM."""

    model_config = ConfigDict(extra="forbid")

    base: int = Field(128, ge=8, description="channels of the first level")
    multipliers: tuple[int, ...] = Field((1, 2, 2), description="channels of each level over `base`")
    blocks: int = Field(3, ge=1, description="residual blocks per level")
    stem: int = Field(1, ge=1, description="pixel-unshuffle factor: the network works at 1/stem of the resolution")
    narrow_up: bool = Field(False, description="up-sampling blocks already have the next level's width: a third cheaper")
    detail: int = Field(0, ge=0, description="channels of two blocks at full resolution that draw the image's detail (ours)")
    film: bool = Field(True, description="the time step scales and shifts features; else it is added to them (not with MAM)")
    mam: bool = Field(True, description="modality-aware module in the bottleneck; else the ancestors' middle block")
    prompts: int = Field(2, ge=1, description="n of the self-prompting, one per modality")
    spatial_prompts: bool = Field(False, description="a prompt is a map of the bottleneck's size, not one value a channel")
    keep_attention: bool = Field(False, description="MAM keeps the middle block's self-attention")
    mamba_backend: Backend = Field("auto", description="what computes Mamba's scan: cuda, torch, or what there is")


class UNet(nn.Module):
    """From a corrupted slice and its time step to one map per head.

    `forward(x, t)` takes x [B, 1, H, W] in [-1, 1] and t [B] in 0…T-1, and returns one map [B, 1, H, W] for every
    name in `heads`, in that order. H and W are multiples of `stem · 2^(levels - 1)`.
    """

    def __init__(self, config: UNetConfig, heads: tuple[str, ...]) -> None:
        super().__init__()
        self.stem = config.stem
        self.time = TimeEmbedding(config.base)
        embedding, film = self.time.channels, config.film
        widths = [config.base * multiplier for multiplier in config.multipliers]
        self.first = nn.Conv2d(config.stem**2, widths[0], 3, padding=1)

        self.encoder = nn.ModuleList()
        skips = [widths[0]]
        channels = widths[0]
        for level, width in enumerate(widths):
            for _ in range(config.blocks):
                self.encoder.append(ResidualBlock(channels, width, embedding, film=film))
                channels = width
                skips.append(channels)
            if level < len(widths) - 1:
                self.encoder.append(ResidualBlock(channels, channels, embedding, resample="down", film=film))
                skips.append(channels)

        if config.mam:
            side = SIZE // (config.stem * 2 ** (len(widths) - 1))
            self.bottleneck: nn.Module = ModalityAwareModule(
                channels,
                embedding,
                config.prompts,
                size=side if config.spatial_prompts else None,
                backend=config.mamba_backend,
                attention=config.keep_attention,
            )
        else:
            self.bottleneck = MiddleBlock(channels, embedding, film)

        self.decoder = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for _ in range(config.blocks + 1):
                self.decoder.append(ResidualBlock(channels + skips.pop(), width, embedding, film=film))
                channels = width
            if level > 0:
                above = widths[level - 1] if config.narrow_up else channels
                self.decoder.append(ResidualBlock(channels, above, embedding, resample="up", film=film))
                channels = above

        self.heads = nn.ModuleDict({name: Head(channels, config.stem**2) for name in heads})
        self.detail = Detail(config.detail, embedding) if config.detail else None

    def forward(self, x: Tensor, t: Tensor) -> tuple[Tensor, ...]:
        embedding = self.time(t)
        h = self.first(F.pixel_unshuffle(x, self.stem))
        skips = [h]
        for block in self.encoder:
            h = block(h, embedding)
            skips.append(h)
        h = self.bottleneck(h, embedding)
        for block in self.decoder:
            h = block(h if block.resample == "up" else torch.cat([h, skips.pop()], dim=1), embedding)
        image, *others = (F.pixel_shuffle(head(h), self.stem) for head in self.heads.values())
        if self.detail is not None:
            image = self.detail(x, image, embedding)
        return image, *others


class Detail(nn.Module):
    """The fine structure of an image: from the corrupted slice and the U-Net's answer, both [B, 1, H, W], and the time
    embedding [B, E], to a better answer. At the start of training it changes nothing."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels, channels, embedding) for _ in range(2))
        self.last = Head(channels, 1)

    def forward(self, x: Tensor, coarse: Tensor, embedding: Tensor) -> Tensor:
        h = self.first(torch.cat([x, coarse], dim=1))
        for block in self.blocks:
            h = block(h, embedding)
        return coarse + self.last(h)
