"""The training run: array cache in, model file out, on Lightning."""

from __future__ import annotations

from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from torch import Tensor
from torch.utils.data import DataLoader

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.errors import InputError
from umaddpm_core.losses import amplitude
from umaddpm_core.methods import Method, build
from umaddpm_core.training.augmentation import augmented
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.slices import SliceBatches, batch_seed

VALIDATION_BATCHES = 4
VALIDATION_SEED = 7


class TrainingModule(pl.LightningModule):
    """A method with its optimiser; every step draws from a generator seeded by the run and the step."""

    def __init__(self, method: Method, config: TrainingConfig) -> None:
        super().__init__()
        self.method = method
        self.settings = config

    def training_step(self, batch: dict[str, Tensor], number: int) -> Tensor:
        generator = self._generator(self.settings.seed + 1, self.global_step)
        image = augmented(batch["image"], generator)
        losses = self.method.training_step({"image": image, "brain": image > 0}, generator)
        for name, value in losses.items():
            self.log(f"training/{name}", value, prog_bar=name == "reconstruction")
        return losses["loss"]

    def validation_step(self, batch: dict[str, Tensor], number: int) -> None:
        losses = self.method.validation_step(batch, self._generator(VALIDATION_SEED, number))
        for name, value in losses.items():
            self.log(f"validation/{name}", value, prog_bar=name == "reconstruction")

    def configure_optimizers(self):
        config = self.settings
        optimiser = torch.optim.AdamW(
            self.method.parameters(), config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(config, step))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _generator(self, seed: int, number: int) -> torch.Generator:
        return torch.Generator(device=self.device).manual_seed(batch_seed(seed, number))


class CacheData(pl.LightningDataModule):
    """Batches of the training part, numbered on from the step at which the run stands, and fixed validation batches."""

    def __init__(self, cache: ArrayCache, config: TrainingConfig) -> None:
        super().__init__()
        self.config = config
        scans = {
            part: [scan for scan in cache.scans(part) if scan.modality in config.modalities] for part in ("training", "validation")
        }
        if not scans["training"]:
            raise InputError(f"The cache {cache.folder} holds no training scans of {' and '.join(config.modalities)}.")
        self.training = SliceBatches(cache, scans["training"], config.batch, 0, config.checkpoint_every, config.seed)
        self.validation = SliceBatches(
            cache, scans["validation"] or scans["training"], config.batch, 0, VALIDATION_BATCHES, VALIDATION_SEED
        )

    def train_dataloader(self) -> DataLoader:
        step = self.trainer.global_step if self.trainer else 0
        return DataLoader(self.training.starting_at(step, self.config.checkpoint_every), batch_size=None)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.validation, batch_size=None)


def learning_rate_factor(config: TrainingConfig, step: int) -> float:
    """Share of the learning rate at a step: linear warm-up, constant, then half a cosine down to a hundredth."""
    warm_up = config.warm_up * config.steps
    decay = config.decay * config.steps
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    remaining = (config.steps - step) / max(decay, 1)
    if remaining >= 1:
        return 1.0
    return 0.01 + 0.99 * (1 - torch.cos(torch.tensor(torch.pi * max(remaining, 0)))).item() / 2


def train(
    config: TrainingConfig,
    cache: ArrayCache,
    output: Path,
    *,
    start: Artefact | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Artefact:
    """Train a method and write `output/model.safetensors` with the averaged weights.

    Args:
        cache: made by `umaddpm preprocess`; its training part is trained on, its validation part watched.
        output: also takes checkpoints and TensorBoard events.
        start: a model of the same method to start from: its weights are taken wherever name and shape fit.
        resume: go on from the last checkpoint in `output`, where there is one.
        quiet: no progress bar.

    Returns:
        The artefact, not calibrated yet.
    """
    pl.seed_everything(config.seed, verbose=False)
    method = build(config.method, config.method_config)
    data = CacheData(cache, config)
    if start is not None:
        take_weights(method, start)
    elif hasattr(method, "start_from_amplitude"):
        method.start_from_amplitude(mean_amplitude(data.training))
    checkpoints = ModelCheckpoint(output, filename="last", every_n_train_steps=config.checkpoint_every, enable_version_counter=False)
    trainer = pl.Trainer(
        max_steps=config.steps,
        precision=config.precision,
        gradient_clip_val=config.gradient_clip,
        callbacks=[EMAWeightAveraging(decay=config.ema), checkpoints] + ([] if quiet else [TQDMProgressBar(refresh_rate=10)]),
        logger=False if quiet else pl.loggers.TensorBoardLogger(output, name="events"),
        default_root_dir=output,
        enable_progress_bar=not quiet,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=5,
        log_every_n_steps=20,
    )
    module, last = TrainingModule(method, config), output / "last.ckpt"
    if resume and (done := _finished(last, config)) is not None:
        module.load_state_dict(done)
    else:
        trainer.fit(module, data, ckpt_path=str(last) if resume and last.exists() else None)
    artefact = method.artefact(
        modalities=list(config.modalities), preprocessing=cache.settings, provenance=provenance(config, cache, start)
    )
    artefact.save(output / "model.safetensors")
    return artefact


def _finished(checkpoint: Path, config: TrainingConfig) -> dict[str, Tensor] | None:
    """The averaged weights of a checkpoint in which the run has ended; None where it has not."""
    if not checkpoint.exists():
        return None
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return stored["state_dict"] if stored["global_step"] >= config.steps else None


def mean_amplitude(batches: SliceBatches, count: int = 16) -> Tensor:
    """Mean amplitude spectrum [1, 1, 96, 96] of training slices."""
    return torch.stack([amplitude(batches[number]["image"]).mean(0) for number in range(min(count, len(batches)))]).mean(0)[None]


def take_weights(method: Method, start: Artefact) -> None:
    """Fill a method with the weights of a model wherever name and shape fit.

    Raises:
        InputError: the model is of another method.
    """
    if start.method != method.name:
        raise InputError(f"A model of {start.method} cannot be the start of {method.name}.")
    own = method.state_dict()
    fitting = {name: w for name, w in start.weights.items() if name in own and own[name].shape == w.shape}
    method.load_state_dict({**own, **fitting})


def provenance(config: TrainingConfig, cache: ArrayCache, start: Artefact | None = None) -> dict:
    """Which scans, prepared with which files, steps, seed and version made the weights, and what they started from."""
    scans = [scan for scan in cache.scans("training") if scan.modality in config.modalities]
    return {
        "cohort": cache.cohort,
        "prepared_with": cache.fingerprints,
        "training_scans": {modality: sum(scan.modality == modality for scan in scans) for modality in config.modalities},
        "subjects": sorted({scan.subject for scan in scans}),
        "steps": config.steps,
        "slices": config.steps * config.batch,
        "seed": config.seed,
        "package_version": __version__,
        "started_from": start.provenance if start else None,
    }
