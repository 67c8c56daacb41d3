"""Making healthy slices more various than one scanner's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ROTATION_DEGREES = 6.0
SCALE = 0.06
SHIFT = 3 / 48
"""In halves of the slice: 3 pixels."""
GAMMA = 0.25
BIAS = 0.08


def augmented(image: Tensor, generator: torch.Generator) -> Tensor:
    """Slices [B, 1, H, W] in [0, 1], zero outside the brain, mirrored, moved, recontrasted and shaded at random.

    Left and right are mirrored in half of them; rotations up to 6°, scales by 6 %, shifts by 3 pixels; intensities to
    the power of 0.78–1.28; a smooth bias field of 8 %. The brain stays where the image is not 0.
    """
    count = image.shape[0]

    def uniform(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator, device=image.device) * 2 - 1

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
    moved = moved.clamp(1e-3, 1) ** torch.exp(uniform(1, 1, 1) * GAMMA)
    field = F.interpolate(uniform(1, 4, 4) * BIAS, image.shape[-2:], mode="bicubic", align_corners=True)
    return (moved * torch.exp(field)).clamp(1 / 255, 1) * brain
