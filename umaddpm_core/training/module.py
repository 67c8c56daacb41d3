"""What Lightning trains: a method with its optimiser, and the batches it gets."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.errors import InputError
from umaddpm_core.methods import Method
from umaddpm_core.training.augmentation import augmented
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.slices import SliceBatches

VALIDATION_BATCHES = 4
VALIDATION_SEED = 7
"""Validation draws the same slices, patches, time steps and noise every time."""

Batch = dict[str, Any]


class TrainingModule(pl.LightningModule):
    """A method with its optimiser; what a slice meets depends on the seed and its number alone."""

    def __init__(self, method: Method, config: TrainingConfig, bound: dict[str, Any]) -> None:
        super().__init__()
        self.method = method
        self.settings = config
        self.bound = bound

    def training_step(self, batch: Batch, number: int) -> Tensor:
        seed, window, step = self.settings.seed + 1, self.method.window, batch["step"]
        draws = Draws.of(seed, batch["sample"], step)
        together = draws if window == 1 else Draws.of(seed + 1, batch["sample"] // window, step)
        image = augmented(batch["image"], together, self.settings.contrast)
        where = {"step": torch.tensor(step), "progress": torch.tensor(step / self.settings.steps)}
        losses = self.method.training_step({"image": image, "brain": image > 0, **where}, draws)
        self._log_all("training", losses, len(image))
        return losses["loss"]

    def validation_step(self, batch: Batch, number: int) -> None:
        # Not the seed that chooses the slices: the same number would choose scan and time step.
        draws = Draws.of(VALIDATION_SEED + 1, batch["sample"], batch["step"])
        self._log_all("validation", self.method.validation_step(batch, draws), len(batch["image"]))

    def configure_optimizers(self) -> dict[str, Any]:
        config = self.settings
        optimiser = torch.optim.AdamW(
            self.method.parameters(), config.learning_rate, betas=config.betas, weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(config, step))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["bound"] = self.bound

    def _log_all(self, stage: str, losses: dict[str, Tensor], count: int) -> None:
        for name, value in losses.items():
            self.log(f"{stage}/{name}", value, prog_bar=name == "reconstruction", sync_dist=True, batch_size=count)


class CacheData(pl.LightningDataModule):
    """Batches of the training part, numbered on from the step at which the run stands, and fixed validation batches.

    Args:
        window: consecutive slices of one scan that the method sees together.

    Raises:
        InputError: no training scans of a wanted sequence, or a batch that the processes cannot share equally.
    """

    def __init__(self, cache: ArrayCache, config: TrainingConfig, window: int = 1) -> None:
        super().__init__()
        self.config, self.window = config, window
        scans = {
            part: [scan for scan in cache.scans(part, healthy=True) if scan.modality in config.modalities]
            for part in ("training", "validation")
        }
        for modality in config.modalities:
            if not any(scan.modality == modality for scan in scans["training"]):
                raise InputError(f"The cache {cache.folder} holds no training scans of {modality}.")
        self.training = SliceBatches(
            cache, scans["training"], config.batch, config.checkpoint_every, config.seed, real_weight=config.real_weight, window=window
        )
        watched = scans["validation"] or scans["training"]
        self.validation = SliceBatches(cache, watched, config.batch, VALIDATION_BATCHES, VALIDATION_SEED, window=window)

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.training.part(first=self.trainer.global_step))

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.validation)

    def _loader(self, batches: SliceBatches) -> DataLoader:
        process, processes = self.trainer.global_rank, self.trainer.world_size
        if self.config.batch % (processes * self.window):
            pieces = f"stacks of {self.window}, and these " if self.window > 1 else ""
            raise InputError(f"A batch of {self.config.batch} slices cannot be shared by {pieces}{processes} processes; change one of them.")
        return DataLoader(batches.part(process=process, processes=processes), batch_size=None)


def learning_rate_factor(config: TrainingConfig, step: int) -> float:
    """Share of the learning rate at a step: linear warm-up, constant, then half a cosine down to a hundredth."""
    warm_up = config.warm_up * config.steps
    decay = config.decay * config.steps
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    remaining = (config.steps - step) / max(decay, 1)
    return 1.0 if remaining >= 1 else 0.01 + 0.99 * (1 - math.cos(math.pi * max(remaining, 0))) / 2
