"""The methods by name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.methods.anoddpm import AnoDDPM
from umaddpm_core.methods.base import Method
from umaddpm_core.methods.dae import DAE
from umaddpm_core.methods.ddpm import DDPM
from umaddpm_core.methods.fanogan import FAnoGAN
from umaddpm_core.methods.intensity import Intensity
from umaddpm_core.methods.mddpm import MDDPM
from umaddpm_core.methods.pddpm import PDDPM
from umaddpm_core.methods.svae import SVAE
from umaddpm_core.methods.uma_ddpm import UMADDPM
from umaddpm_core.methods.vae import VAE

METHODS: dict[str, type[Method]] = {
    method.name: method for method in (UMADDPM, MDDPM, PDDPM, DDPM, AnoDDPM, DAE, SVAE, VAE, FAnoGAN, Intensity)
}

__all__ = ["METHODS", "Method", "build", "build_config", "from_artefact"]


def build_config(name: str, config: dict[str, Any]) -> BaseModel:
    """The settings of a method, validated.

    Raises:
        InputError: unknown name, or a configuration that does not fit it.
    """
    if name not in METHODS:
        raise InputError(f"There is no method {name!r}; there are {', '.join(METHODS)}.")
    try:
        return METHODS[name].Config(**config)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"The configuration of {name} is wrong at {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def build(name: str, config: dict[str, Any]) -> Method:
    """An untrained method; errors as for `build_config`."""
    settings = build_config(name, config)
    return METHODS[name](settings)


def from_artefact(artefact: Artefact, **changes: Any) -> Method:
    """The trained method in a model file, ready to reconstruct; `changes` override single settings of its configuration.

    Raises:
        InputError: the weights are not those of the method the file names.
    """
    method = build(artefact.method, {**artefact.config, **changes})
    try:
        method.load_state_dict(artefact.weights)
    except RuntimeError as error:
        raise InputError(f"The weights in this model file do not fit the method {artefact.method!r} it names.") from error
    return method.eval()
