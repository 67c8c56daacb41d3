"""What one training run is: an experiment, the size it is run at, both YAML files, validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from umaddpm_core.errors import InputError
from umaddpm_core.methods import METHODS, build_config

EXPERIMENTS = Path(__file__).parent / "experiments"
PRESETS = Path(__file__).parent / "presets"

Modality = Literal["T1", "T2"]


class TrainingConfig(BaseModel):
    """One run. `method_config` goes to the method as it is and is validated there."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", description="of the experiment")
    preset: str = Field("", description="whose settings hold where the experiment says nothing")
    method: str = "uma_ddpm"
    method_config: dict[str, Any] = Field(default_factory=dict)
    modalities: list[Modality] = Field(default_factory=lambda: ["T1"], min_length=1)
    real_weight: float = Field(1.0, gt=0, description="how many times more often a real scan is drawn than a synthetic one")
    contrast: float = Field(0.25, ge=0, le=1, description="strength of the random change of contrast")
    steps: int = Field(4000, ge=1, description="optimiser steps")
    batch: int = Field(16, ge=1, description="slices a step, of all processes together")
    learning_rate: float = Field(1e-3, gt=0)
    warm_up: float = Field(0.03, ge=0, le=1, description="share of the steps with rising learning rate")
    decay: float = Field(0.4, ge=0, le=1, description="share of the steps, at the end, with falling learning rate")
    betas: tuple[float, float] = Field((0.9, 0.99), description="AdamW's averages of gradients and of their squares")
    weight_decay: float = Field(1e-2, ge=0)
    gradient_clip: float = Field(1.0, gt=0)
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the weight average that is shipped")
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    checkpoint_every: int = Field(200, ge=1, description="steps between two checkpoints")
    seed: int = 0


def find_config(experiment: str, preset: str | None = None, **changes: Any) -> TrainingConfig:
    """The experiment in the file `experiment`, or the shipped one or the method of that name, at the size of a preset.

    Args:
        preset: name of a shipped preset; by default the one the experiment names, else `compact`.
        changes: settings that come before both.

    Raises:
        InputError: experiment or preset does not exist, no YAML, an unknown key, a value out of range, or a method that is
            not trained.
    """
    described, name = _experiment(experiment)
    size = preset or described.get("preset") or "compact"
    sized = read_yaml(_shipped(PRESETS, size, "preset"))
    of_method = sized.pop("methods", {}).get(changes.get("method") or described.get("method", "uma_ddpm"), {})
    merged = _merged(_merged(sized, of_method), {**described, "preset": size, "name": name})
    try:
        config = TrainingConfig(**_merged(merged, changes))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{name}.yaml is wrong at {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    build_config(config.method, config.method_config)
    if not METHODS[config.method].learned:
        raise InputError(f"The method {config.method} learns nothing by training.")
    return config


def _experiment(experiment: str) -> tuple[dict[str, Any], str]:
    """What an experiment says, and its name."""
    path = Path(experiment)
    if path.is_file():
        return read_yaml(path), path.stem
    if experiment in METHODS:
        return {"method": experiment}, experiment
    path = _shipped(EXPERIMENTS, experiment, "experiment")
    return read_yaml(path), path.stem


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file of keys and values.

    Raises:
        InputError: it is something else.
    """
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a YAML file of keys and values.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name} is not a YAML file of keys and values.")
    return content


def _shipped(folder: Path, name: str, kind: str) -> Path:
    path = folder / f"{name}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise InputError(f"There is no {kind} {name}; shipped are {names}.")
    return path


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the latter first; what is a mapping in both is merged likewise."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result
