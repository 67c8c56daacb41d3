"""The training run: array cache in, model file out, on Lightning; on one processor, one GPU, or many under torchrun."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar, WeightAveraging
from torch import Tensor

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.errors import InputError
from umaddpm_core.losses import amplitude
from umaddpm_core.methods import Method, build
from umaddpm_core.training.averaging import moving_average
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.module import CacheData, TrainingModule
from umaddpm_core.training.loss_told import LossTold
from umaddpm_core.training.provenance import provenance
from umaddpm_core.training.slices import SliceBatches

Device = Literal["auto", "cpu", "cuda"]


def train(
    config: TrainingConfig,
    cache: ArrayCache,
    output: Path,
    *,
    start: Artefact | None = None,
    resume: bool = True,
    device: Device = "auto",
    quiet: bool = False,
    every: int = 100,
    told: Callable[[int, float], None] | None = None,
) -> Artefact:
    """Train a method and write `output/model.safetensors` with the averaged weights.

    Under `torchrun` every process calls this, and together they train as one would with the same batch; with batch norm (VAE,
    SVAE) only on GPUs, where it looks at the batch of all of them.

    Args:
        cache: made by `umaddpm preprocess`; its training part is trained on, its validation part watched.
        output: also takes checkpoints and TensorBoard events.
        start: a model of the same method to start from: its weights are taken wherever name and shape fit.
        resume: go on from the last checkpoint in `output`, where there is one.
        device: `auto` takes a GPU where there is one.
        quiet: no progress bar.
        every, told: after so many steps, `told` gets the step and the mean loss since the last time.

    Returns:
        The artefact, not calibrated yet.

    Raises:
        InputError: nothing to train on, a checkpoint of another run in `output`, or no GPU where one is demanded.
    """
    pl.seed_everything(config.seed, verbose=False)
    method = build(config.method, config.method_config)
    placed = _placement(device, method)
    data = CacheData(cache, config, method.window)
    last = output / "last.ckpt"
    bound = {"config": config.model_dump(mode="json", exclude={"steps"}), "prepared_with": cache.fingerprints}
    if start is not None:
        bound["start"] = start.digest()
    stored = _stored(last, bound) if resume and last.exists() else None
    if stored and stored["global_step"] > config.steps:
        raise InputError(f"{output} holds a run that has done {stored['global_step']} steps already; give as many, or another output folder.")
    if start is not None:
        take_weights(method, start)
    elif hasattr(method, "start_from_amplitude"):
        method.start_from_amplitude(mean_amplitude(data.training))
    checkpoints = ModelCheckpoint(output, filename="last", every_n_train_steps=config.checkpoint_every, enable_version_counter=False)
    trainer = pl.Trainer(
        **placed,
        max_steps=config.steps,
        precision=config.precision,
        gradient_clip_val=config.gradient_clip,
        callbacks=[
            WeightAveraging(avg_fn=moving_average(config.ema)),
            checkpoints,
            *([] if quiet else [RichProgressBar()]),
            *([LossTold(every, told)] if told else []),
        ],
        logger=False if quiet else pl.loggers.TensorBoardLogger(output, name="events"),
        default_root_dir=output,
        enable_progress_bar=not quiet,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=5,
        log_every_n_steps=min(20, config.checkpoint_every),
    )
    module = TrainingModule(method, config, bound)
    if stored and stored["global_step"] == config.steps:
        module.load_state_dict(stored["state_dict"])
    else:
        trainer.fit(module, data, ckpt_path=str(last) if stored else None)
    artefact = method.artefact(
        modalities=list(config.modalities), preprocessing=cache.settings, provenance=provenance(config, cache, start)
    )
    if trainer.is_global_zero:
        artefact.save(output / "model.safetensors")
    return artefact


def _placement(device: Device, method: Method) -> dict[str, Any]:
    """What Lightning is told of where to compute; the number of processes and machines is what `torchrun` set.

    Raises:
        InputError: no GPU where one is demanded.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("There is no GPU on this machine that PyTorch can use; train with `--device cpu`, or `auto`.")
    accelerator = "gpu" if device != "cpu" and torch.cuda.is_available() else "cpu"
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    everywhere = int(os.environ.get("WORLD_SIZE", 1))
    strategy = "auto" if everywhere == 1 else "ddp_find_unused_parameters_true" if method.alternates else "ddp"
    nodes = max(everywhere // here, 1)
    normed_together = everywhere > 1 and accelerator == "gpu"
    return {"accelerator": accelerator, "devices": here, "num_nodes": nodes, "strategy": strategy, "sync_batchnorm": normed_together}


def _stored(checkpoint: Path, bound: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of the run that goes on.

    Raises:
        InputError: it is damaged, or of a run with other settings.
    """
    elsewhere = "give another output folder, or `--no-resume` to begin anew"
    try:
        stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise InputError(f"The checkpoint {checkpoint} is damaged; {elsewhere}.") from error
    before, now = stored.get("bound", {}), bound
    if before != now:
        old, new = before.get("config", {}), now["config"]
        changed = [key.replace("_", " ") for key in new if old.get(key) != new[key]]
        changed += ["the model it started from"] if before.get("start") != now.get("start") else []
        changed = changed or ["the cache"]
        raise InputError(f"{checkpoint.parent} holds a run with other settings ({', '.join(changed)}); {elsewhere}.")
    return stored


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
