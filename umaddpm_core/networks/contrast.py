"""The network that makes a T2 scan of a T1 scan."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets import BasicUNet
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

NEIGHBOURS = 1
"""Slices seen on either side of the one that is translated."""
STEM = 2
"""Blocks of so many pixels a side become channels."""
FEATURES = (48, 48, 96, 192, 192, 48)
INPUTS = 2 * NEIGHBOURS + 1 + 3


class ContrastTranslator(nn.Module):
    """From a T1 slice, its neighbours and where they lie, [B, 6, 96, 96], to the T2 slice [B, 1, 96, 96] in [0, 1].

    The first three channels are the slice below, the slice and the slice above, 0–1; the others are the position in the
    brain's box, -1 to 1 along each axis, because grey matter does not look the same everywhere in T2: iron darkens the basal
    ganglia. A U-Net (MONAI's) on blocks of 2 × 2 pixels.
    """

    def __init__(self, features: Sequence[int] = FEATURES) -> None:
        super().__init__()
        norm = ("instance", {"affine": True})
        self.unet = BasicUNet(2, INPUTS * STEM**2, STEM**2, features, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(pixel_shuffle(self.unet(pixel_unshuffle(x, STEM)), STEM))

    @torch.inference_mode()
    def translate(self, volume: Tensor, slices_at_once: int = 16) -> Tensor:
        """The T2 volume of a T1 volume, both [1, 96, 96, S] in [0, 1] and 0 outside the brain."""
        slices = torch.cat([self(x) for x in with_context(volume).split(slices_at_once)])
        translated = slices.permute(1, 2, 3, 0)
        return torch.where(volume > 0, translated.clamp_min(1 / 255), 0.0)


def with_context(volume: Tensor) -> Tensor:
    """What the network sees of a volume [1, H, W, S]: [S, 6, H, W]."""
    _, height, width, depth = volume.shape
    padded = pad(volume[0].permute(2, 0, 1), (0, 0, 0, 0, NEIGHBOURS, NEIGHBOURS))
    neighbours = padded.unfold(0, 2 * NEIGHBOURS + 1, 1).permute(0, 3, 1, 2)
    axes = [torch.linspace(-1, 1, side, device=volume.device) for side in (height, width, depth)]
    y, x, z = torch.meshgrid(*axes, indexing="ij")
    position = torch.stack([y, x, z]).permute(3, 0, 1, 2)
    return torch.cat([neighbours, position], dim=1)
