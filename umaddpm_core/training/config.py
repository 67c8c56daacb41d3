"""What one training run is: a YAML file, validated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from umaddpm_core.errors import InputError


class TrainingConfig(BaseModel):
    """One experiment. `method_config` goes to the method as it is and is validated there."""

    model_config = ConfigDict(extra="forbid")

    method: str = "uma_ddpm"
    method_config: dict[str, Any] = Field(default_factory=dict)
    modalities: list[Literal["T1", "T2"]] = Field(default_factory=lambda: ["T1"], min_length=1)
    steps: int = Field(4000, ge=1, description="optimiser steps")
    batch: int = Field(16, ge=1, description="slices a step")
    learning_rate: float = Field(1e-3, gt=0)
    warm_up: float = Field(0.03, ge=0, le=1, description="share of the steps with rising learning rate")
    decay: float = Field(0.4, ge=0, le=1, description="share of the steps, at the end, with falling learning rate")
    weight_decay: float = Field(1e-2, ge=0)
    gradient_clip: float = Field(1.0, gt=0)
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the weight average that is shipped")
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    checkpoint_every: int = Field(200, ge=1, description="steps between two checkpoints")
    seed: int = 0


def load_config(path: str | Path) -> TrainingConfig:
    """Read a YAML configuration.

    Raises:
        InputError: no such file, no YAML, an unknown key or a value out of range.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no configuration file {path}.")
    try:
        return TrainingConfig(**(yaml.safe_load(path.read_text()) or {}))
    except (yaml.YAMLError, TypeError) as error:
        raise InputError(f"{path.name} is not a YAML file of keys and values.") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path.name} is wrong at {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def find_config(name: str) -> TrainingConfig:
    """The configuration in the file `name`, or the shipped one of that name.

    Raises:
        InputError: neither exists, or the file is wrong.
    """
    folder = Path(__file__).parent / "configs"
    shipped = folder / f"{name}.yaml"
    if not Path(name).is_file() and not shipped.is_file():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
        raise InputError(f"There is no configuration {name}; shipped are {names}.")
    return load_config(shipped if shipped.is_file() and not Path(name).is_file() else name)
