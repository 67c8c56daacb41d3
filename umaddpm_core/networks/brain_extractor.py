"""The small contrast-independent 3-D U-Net that tells brain from head."""

from monai.networks.nets import UNet
from torch import nn

SPACING_MM = 3.0
"""Isotropic voxel size at which the network works."""

DIVISOR = 8
"""Every side of the input must be a multiple of this."""


def brain_extractor(channels: tuple[int, ...] = (16, 32, 64, 96)) -> nn.Module:
    """Network from a head [B, 1, D, H, W], intensities 0–1, axes inferior–superior, anterior–posterior, right–left,
    to brain logits of the same shape. Sides are multiples of `DIVISOR`."""
    return UNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=1,
        channels=channels,
        strides=(2,) * (len(channels) - 1),
        num_res_units=2,
        norm="instance",
    )
