"""Telling somebody how a training goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl


class LossTold(pl.Callback):
    """Tells the step and the mean training loss after every so many steps."""

    def __init__(self, every: int, told: Callable[[int, float], None]) -> None:
        self._every, self._told = every, told
        self._rounds, self._total, self._count = 0, 0.0, 0

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._rounds = trainer.global_step // self._every

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, number: int) -> None:
        self._total += float(outputs["loss"])
        self._count += 1
        if trainer.global_step // self._every > self._rounds:
            self._rounds = trainer.global_step // self._every
            self._told(trainer.global_step, self._total / self._count)
            self._total, self._count = 0.0, 0
