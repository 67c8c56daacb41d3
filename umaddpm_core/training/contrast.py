"""Training the network that makes T2 of T1, on the pairs of a cache."""

from __future__ import annotations

import torch
from monai.losses import SSIMLoss
from torch import Tensor

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.contrast import pairs
from umaddpm_core.errors import InputError
from umaddpm_core.networks.contrast import ContrastTranslator, with_context
from umaddpm_core.training.fitting import Progress, fit

GAMMA = 0.15
"""The T1 is taken to the power of e^±0.15, so that its exact grey values do not count."""
SHIFT = 4
"""Pixels."""


def train_contrast(
    cache: ArrayCache,
    *,
    steps: int = 2500,
    batch: int = 8,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> ContrastTranslator:
    """A translator trained on the training people who have T1 and T2.

    Args:
        cache: with pairs; validation and test people are not looked at.
        batch: slices a step, each mirrored, shifted and recontrasted at random.
        progress: told the step and the running loss.

    Raises:
        InputError: the training part holds no pairs.

    Loss: L1 inside the brain + 1 - SSIM; AdamW with one cosine of the learning rate.
    """
    training = pairs(cache, "training")
    if not training:
        raise InputError(f"The cache {cache.folder} holds no training people with T1 and T2 on one grid.")
    inputs = torch.cat([with_context(t1) for _, t1, _ in training])
    targets = torch.cat([t2.permute(3, 0, 1, 2) for _, _, t2 in training])
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = ContrastTranslator().train()
    structure = SSIMLoss(spatial_dims=2, data_range=1.0)

    def batch_loss() -> Tensor:
        index = torch.randint(len(inputs), (batch,), generator=generator)
        x, y = _varied(inputs[index], targets[index], generator)
        brain = y > 0
        answer = torch.where(brain, network(x), 0.0)
        return (answer - y).abs().sum() / brain.sum().clamp_min(1) + structure(answer, y)

    fit(network, batch_loss, steps=steps, learning_rate=learning_rate, progress=progress)
    return network.eval()


def _varied(x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Slices and targets mirrored along the first axis in half of the batches, shifted alike, the T1 recontrasted."""
    grey, position = x[:, :-3], x[:, -3:]
    if torch.rand((), generator=generator) < 0.5:
        grey, y = grey.flip(2), y.flip(2)
    shift = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=generator).tolist()
    grey, y = grey.roll(shift, (2, 3)), y.roll(shift, (2, 3))
    gamma = torch.exp(GAMMA * (2 * torch.rand(len(x), 1, 1, 1, generator=generator) - 1))
    return torch.cat([grey**gamma, position], dim=1), y
