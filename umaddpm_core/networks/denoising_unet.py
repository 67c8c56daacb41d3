"""The U-Net of the denoising autoencoder (Kascenas et al. 2022)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 4
GROUPS = (8, 16, 16, 32)


class DenoisingUNet(nn.Module):
    """Slices [B, 1, H, W] to slices; H and W are multiples of 8.

    Args:
        base: channels of the first level; 64 gives the original's 7.7 M parameters.
    """

    def __init__(self, base: int) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(LEVELS)]
        self.down = nn.ModuleList(
            _double(inputs, outputs, groups) for inputs, outputs, groups in zip([1, *widths], widths, GROUPS)
        )
        pairs = list(zip(widths[1:], widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, shallow, 2, 2) for deep, shallow in pairs)
        self.merge = nn.ModuleList(_double(deep, shallow, groups) for (deep, shallow), groups in zip(pairs, GROUPS[-2::-1]))
        self.last = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
        return self.last(x)


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose kernels have mean 0 and variance 1 (Qiao et al. 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True)
        weight = (self.weight - mean) * torch.rsqrt(variance + 1e-5)
        pad = self.kernel_size[0] // 2
        return F.conv2d(F.pad(x, [pad] * 4, mode="reflect"), weight, self.bias)


def _double(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [StandardisedConv2d(channels, outputs, 3), nn.SiLU(), nn.GroupNorm(min(groups, outputs // 4), outputs)]
    return nn.Sequential(*layers)
