"""The plain training loop of the small networks around the method: the brain extractor and the translator from T1 to T2."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

Progress = Callable[[int, float], None]
"""Told the step, from 1, and the running loss."""


def fit(network: nn.Module, batch_loss: Callable[[], Tensor], *, steps: int, learning_rate: float, progress: Progress | None) -> None:
    """Lower the loss of one batch after the other with AdamW, one cosine of the learning rate, and gradients clipped to 1."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps, pct_start=0.1)
    running = math.nan
    for step in range(steps):
        loss = batch_loss()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running = loss.item() if math.isnan(running) else 0.98 * running + 0.02 * loss.item()
        if progress:
            progress(step + 1, running)
