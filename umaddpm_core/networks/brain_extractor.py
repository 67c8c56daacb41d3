"""The contrast-independent 3-D U-Net that tells brain from head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.blocks import Convolution
from monai.networks.nets import BasicUNet
from monai.networks.utils import pixelshuffle, pixelunshuffle
from torch import Tensor, nn

from umaddpm_core.networks.blocks import zeroed

SPACING_MM = 2.0
"""Isotropic voxel size at which the network works."""

DIVISOR = 16
"""Every side of the input must be a multiple of this, and at least four times as much."""

STEM = 2
"""Blocks of so many voxels a side become channels, so that the U-Net computes at 4 mm and answers at 2 mm."""

BOX = (96, 112, 96)
"""Voxels of the view it decides in, inferior–superior, anterior–posterior, right–left: room for a large brain, turned."""

FEATURES = (24, 32, 64, 96, 128, 24)
MAPS = 4
SHARPENING = 12


class BrainExtractor(nn.Module):
    """From a head [B, 1, D, H, W], intensities 0–1, axes inferior–superior, anterior–posterior, right–left, to brain
    logits of the same shape.

    A U-Net at 4 mm finds the brain; three convolutions at 2 mm draw its border, from what the U-Net says and the head.

    Args:
        features: channels of the U-Net's five levels and of its last layer.
        maps: what the U-Net hands on, at 2 mm; the first is its own answer.
        sharpening: channels of the convolutions at 2 mm.
    """

    def __init__(self, features: Sequence[int] = FEATURES, maps: int = MAPS, sharpening: int = SHARPENING) -> None:
        super().__init__()
        norm = ("instance", {"affine": True})
        self.unet = BasicUNet(3, STEM**3, maps * STEM**3, features, norm=norm)
        self.sharpen = nn.Sequential(
            Convolution(3, 1 + maps, sharpening, norm=norm, act="leakyrelu", adn_ordering="NA"),
            Convolution(3, sharpening, sharpening, norm=norm, act="leakyrelu", adn_ordering="NA"),
            zeroed(nn.Conv3d(sharpening, 1, 3, padding=1)),
        )

    def forward(self, head: Tensor) -> Tensor:
        found = self._found(head)
        return found[:, :1] + self.sharpen(torch.cat([head, found], 1))

    def located(self, head: Tensor) -> Tensor:
        """The U-Net's own answer, in a third of the time: where the brain is, its border not yet drawn."""
        return self._found(head)[:, :1]

    def _found(self, head: Tensor) -> Tensor:
        return pixelshuffle(self.unet(pixelunshuffle(head, 3, STEM)), 3, STEM)
