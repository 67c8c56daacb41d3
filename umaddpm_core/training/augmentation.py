"""Making healthy slices more various than one scanner's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws

ROTATION_DEGREES = 6.0
SCALE = 0.06
SHIFT = 3 / 48
"""In halves of the slice: 3 pixels."""
BIAS = 0.08


def augmented(image: Tensor, draws: Draws, contrast: float = 0.25) -> Tensor:
    """Slices [B, 1, H, W] in [0, 1], zero outside the brain, mirrored, moved, recontrasted and shaded at random.

    Left and right are mirrored in half of them; rotations up to 6°, scales by 6 %, shifts by 3 pixels; a smooth bias field
    of 8 %. The brain stays where the image is not 0.

    Args:
        contrast: dark and bright tissue are taken to powers of e^±contrast of their own, as another scanner or sequence
            timing would change them.
    """
    count = len(image)

    def uniform(*shape: int) -> Tensor:
        return draws.uniform(*shape, low=-1.0)

    angle = uniform() * math.radians(ROTATION_DEGREES)
    scale = torch.exp(uniform() * SCALE)
    mirror = torch.where(uniform() > 0, 1.0, -1.0)
    theta = torch.zeros(count, 2, 3, device=image.device)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle) * scale, -torch.sin(angle) * scale * mirror
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle) * scale, torch.cos(angle) * scale * mirror
    theta[:, :, 2] = uniform(2) * SHIFT
    points = F.affine_grid(theta, list(image.shape), align_corners=False)
    brain = F.grid_sample((image > 0).float(), points, align_corners=False) > 0.5
    moved = F.grid_sample(image, points, align_corners=False)
    moved = recontrasted(moved.clamp(1e-3, 1), *torch.exp(uniform(2, 1, 1, 1) * contrast).unbind(1))
    field = F.interpolate(uniform(1, 4, 4) * BIAS, image.shape[-2:], mode="bicubic", align_corners=True)
    return (moved * torch.exp(field)).clamp(1 / 255, 1) * brain


def recontrasted(image: Tensor, dark: Tensor, bright: Tensor) -> Tensor:
    """1 - (1 - x^dark)^bright, which grows from 0 to 1: the first power bends the dark end of the range, the second the bright
    one (Kumaraswamy 1980)."""
    return 1 - (1 - image**dark).clamp_min(0) ** bright
