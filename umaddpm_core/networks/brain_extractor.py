"""The contrast-independent 3-D U-Net that tells brain from head."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets import BasicUNet
from monai.networks.utils import pixelshuffle, pixelunshuffle
from torch import Tensor, nn

SPACING_MM = 2.0
"""Isotropic voxel size at which the network works."""

DIVISOR = 16
"""Every side of the input must be a multiple of this, and at least four times as much."""

STEM = 2
"""Blocks of so many voxels a side become channels, so that the U-Net computes at 4 mm and answers at 2 mm."""

BOX = (80, 96, 80)
"""Voxels of the view it is trained on, inferior–superior, anterior–posterior, right–left: room for a brain. Instance
norms make the answer depend on how much else is in the view."""

FEATURES = (24, 32, 64, 96, 128, 24)


class BrainExtractor(nn.Module):
    """From a head [B, 1, D, H, W], intensities 0–1, axes inferior–superior, anterior–posterior, right–left, to brain
    logits of the same shape.

    Args:
        features: channels of the U-Net's five levels and of its last layer.
    """

    def __init__(self, features: Sequence[int] = FEATURES) -> None:
        super().__init__()
        self.unet = BasicUNet(3, STEM**3, STEM**3, features, norm=("instance", {"affine": True}))

    def forward(self, head: Tensor) -> Tensor:
        return pixelshuffle(self.unet(pixelunshuffle(head, 3, STEM)), 3, STEM)
