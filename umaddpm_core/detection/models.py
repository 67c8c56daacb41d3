"""The shipped models, and how one is found by name."""

from __future__ import annotations

from pathlib import Path

from umaddpm_core import resources
from umaddpm_core.errors import InputError

DEFAULT = "uma_ddpm"


def shipped_models() -> dict[str, Path]:
    """The model files that come with the package, by name."""
    return {path.stem: path for path in sorted(resources.MODELS.glob("*.safetensors"))}


def find_model(model: str | Path | None) -> Path:
    """The file of a model: None for the default, a shipped name, or a path.

    Raises:
        InputError: there is no such model.
    """
    shipped = shipped_models()
    name = DEFAULT if model is None else str(model)
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.suffix == ".safetensors" and path.is_file():
        return path
    raise InputError(f"There is no model {name!r}; shipped are {', '.join(shipped) or 'none'}, or give a .safetensors file.")
