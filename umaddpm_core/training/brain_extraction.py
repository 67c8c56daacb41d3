"""Training the brain extractor on real and painted heads of random contrast."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor

from umaddpm_core.data.labelled_heads import synthetic_contrast
from umaddpm_core.networks.brain_extractor import BOX, BrainExtractor
from umaddpm_core.training.fitting import Progress, fit

BOXES = ((80, 96, 80), (80, 112, 80), BOX)
"""Views that a step may have: instance norms make the answer depend on how much else is in the view, and this less so."""

PAINTED, INVERTED, LESIONED, PLAIN = 0.2, 0.2, 0.3, 0.4
"""Shares of samples painted from label maps, inverted in contrast, with a painted lesion, and left in their own contrast."""

Heads = list[tuple[Tensor, Tensor]]


def train_brain_extractor(
    heads: Heads,
    label_maps: Heads,
    *,
    network: BrainExtractor | None = None,
    steps: int = 1200,
    learning_rate: float = 2e-3,
    boxes: Sequence[tuple[int, int, int]] = BOXES,
    batch: int = 2,
    seed: int = 0,
    progress: Progress | None = None,
) -> BrainExtractor:
    """A trained brain extractor.

    Args:
        heads: real heads and brains, [1, D, H, W] each, 0–1, at 2 mm.
        label_maps: tissue classes and brains; a head is painted anew from them at every use.
        network: goes on with this one instead of random weights.
        boxes: sizes of the view, of which every step draws one.
        progress: told the step and the running loss.

    Loss: Dice + binary cross-entropy; AdamW with one cosine of the learning rate.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = (network or BrainExtractor()).train().to(memory_format=torch.channels_last_3d)
    dice = DiceLoss(sigmoid=True, squared_pred=True)

    def batch_loss() -> Tensor:
        box = boxes[int(torch.randint(len(boxes), (), generator=generator))]
        samples = [_sample(heads, label_maps, box, generator) for _ in range(batch)]
        head, brain = (torch.stack(tensors) for tensors in zip(*samples))
        logits = network(head)
        return dice(logits, brain) + F.binary_cross_entropy_with_logits(logits, brain)

    fit(network, batch_loss, steps=steps, learning_rate=learning_rate, progress=progress)
    return network.eval()


def _sample(heads: Heads, label_maps: Heads, box: tuple[int, int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    painted = bool(label_maps) and _uniform(generator) < PAINTED
    source = label_maps if painted else heads
    head, brain = source[int(torch.randint(len(source), (), generator=generator))]
    if painted:
        head = synthetic_contrast(head, generator)
    head, brain = _moved(head, brain, box, generator)
    if _uniform(generator) < LESIONED:
        head = _lesioned(head, brain, generator)
    if painted or _uniform(generator) > PLAIN:
        head = _recontrasted(head, generator, inverted=0.0 if painted else INVERTED)
    return _shaded(head, generator), brain


def _lesioned(head: Tensor, brain: Tensor, generator: torch.Generator) -> Tensor:
    """The head with a blurred ellipsoid of random size and intensity somewhere in its brain, so that none is cut out."""
    inside = brain[0].nonzero()
    if not len(inside):
        return head
    centre = inside[int(torch.randint(len(inside), (), generator=generator))]
    radii = 4 + 14 * torch.rand(3, generator=generator)
    axes = [((torch.arange(side) - c) / r) ** 2 for side, c, r in zip(head.shape[1:], centre.tolist(), radii.tolist())]
    distance = (axes[0][:, None, None] + axes[1][None, :, None] + axes[2]).sqrt()
    share = (2.5 - 2 * distance).clamp(0, 1) * brain * (0.5 + 0.5 * _uniform(generator))
    return head + share * (1.1 * _uniform(generator) - head)


def _moved(head: Tensor, brain: Tensor, box: tuple[int, int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Randomly rotated, scaled, mirrored and shifted crops of size `box`, some of them with a part of the view cut off."""
    angles = (torch.rand(3, generator=generator) - 0.5) * math.radians(50)
    scale = torch.exp((torch.rand(3, generator=generator) - 0.5) * 0.35)
    rotation = _rotation(angles) * scale
    if _uniform(generator) < 0.5:
        rotation = rotation @ torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    source = torch.tensor(head.shape[:0:-1], dtype=torch.float)
    target = torch.tensor(box[::-1], dtype=torch.float)
    points = F.affine_grid(torch.eye(3, 4)[None], [1, 1, *box], align_corners=False) * target
    centre = _centre(brain) + (torch.rand(3, generator=generator) - 0.5) * 30
    points = (points @ rotation.T + 2 * centre - source) / source
    moved = F.grid_sample(torch.stack([head, brain], 1), points, align_corners=False)[0]
    head, brain = moved[:1], moved[1:]
    if _uniform(generator) < 0.3:
        axis, side = int(torch.randint(3, (), generator=generator)) + 1, int(torch.randint(2, (), generator=generator))
        cut = int(_uniform(generator) * 0.2 * head.shape[axis])
        if cut:
            gone = slice(-cut, None) if side else slice(cut)
            head.movedim(axis, 0)[gone] = 0
            brain.movedim(axis, 0)[gone] = 0
    return head, brain


def _recontrasted(head: Tensor, generator: torch.Generator, inverted: float) -> Tensor:
    """The head through a random monotone or inverted intensity curve."""
    head = _stretched(head, 0.001, 0.999)
    if _uniform(generator) < inverted:
        foreground = F.max_pool3d((head > 0.08).float()[None], 3, 1, 1)[0]
        head = (1 - head) * foreground
    head = head ** math.exp((_uniform(generator) - 0.5) * 1.4)
    if _uniform(generator) < 0.5:
        knots = torch.cumsum(torch.rand(6, generator=generator) + 0.05, 0)
        knots = torch.cat([torch.zeros(1), knots / knots[-1]])
        position = head * 6
        index = position.floor().clamp(0, 5).long()
        head = knots[index] + (position - index) * (knots[index + 1] - knots[index])
    return head


def _shaded(head: Tensor, generator: torch.Generator) -> Tensor:
    """The head with a bias field, sometimes with thick slices, and with noise."""
    field = torch.randn(1, 1, 3, 3, 3, generator=generator) * 0.3 * _uniform(generator)
    head = head * torch.exp(F.interpolate(field, head.shape[1:], mode="trilinear", align_corners=True))[0]
    if _uniform(generator) < 0.25:
        axis = int(torch.randint(3, (), generator=generator))
        shape = list(head.shape[1:])
        shape[axis] = max(shape[axis] // int(torch.randint(2, 4, (), generator=generator)), 1)
        head = F.interpolate(F.interpolate(head[None], shape, mode="area"), head.shape[1:], mode="trilinear")[0]
    head = head + 0.05 * _uniform(generator) * torch.randn(head.shape, generator=generator)
    return _stretched(head, 0.01, 0.995)


def _stretched(head: Tensor, low: float, high: float) -> Tensor:
    """Two quantiles, of every thirty-first voxel, mapped to 0 and 1."""
    bottom, top = head.flatten()[::31].quantile(torch.tensor([low, high]))
    return ((head - bottom) / (top - bottom).clamp_min(1e-3)).clamp(0, 1)


def _uniform(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _centre(brain: Tensor) -> Tensor:
    """Centre of the brain in voxels, x y z."""
    return brain[0].nonzero().float().mean(0).flip(0)


def _rotation(angles: Tensor) -> Tensor:
    x, y, z = angles.tolist()
    around_x = torch.tensor([[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]])
    around_y = torch.tensor([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    around_z = torch.tensor([[math.cos(z), -math.sin(z), 0], [math.sin(z), math.cos(z), 0], [0, 0, 1]])
    return around_z @ around_y @ around_x
