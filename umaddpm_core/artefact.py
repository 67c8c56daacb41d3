"""The model file: weights, configuration, calibration and provenance in one `.safetensors`."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from umaddpm_core.errors import InputError

FORMAT = 1
"""Version of the metadata layout; a newer one is refused."""

METADATA_KEY = "umaddpm"
LICENCE = "Weights computed from the IXI data set (brain-development.org), CC BY-SA 3.0. Research use only."


@dataclass
class Artefact:
    """Everything that is needed to use a trained method, and where it came from.

    `weights` are float tensors by parameter name; `config` rebuilds the method named `method`; `calibration` holds
    the deployed settings and the thresholds by modality; `preprocessing` says how the scans were prepared that it was
    trained on, and so how any other must be; `provenance` says which scans, steps, seed and version.
    """

    method: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    modalities: list[str] = field(default_factory=list)
    calibration: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    licence: str = LICENCE
    preprocessing: dict[str, Any] = field(default_factory=dict)

    def save(self, path: str | Path, dtype: torch.dtype = torch.float32) -> Path:
        """Write the artefact to `path` at once or not at all; floating weights are stored as `dtype`."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        description = asdict(self)
        del description["weights"]
        weights = {
            name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).detach().cpu().contiguous().clone()
            for name, tensor in self.weights.items()
        }
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            save_file(weights, temporary, metadata={METADATA_KEY: json.dumps({"format": FORMAT, **description})})
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def digest(self) -> str:
        """First 12 digits of the SHA-256 of the weights, whatever else the file says; tells one model from another."""
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            tensor = self.weights[name].detach().cpu().contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
        return digest.hexdigest()[:12]

    @classmethod
    def load(cls, path: str | Path) -> Artefact:
        """Read an artefact; floating weights come back as float32.

        Raises:
            InputError: no such file, not a safetensors file, truncated, not ours, or of a newer format.
        """
        return cls._read(Path(path), weights=True)

    @classmethod
    def without_weights(cls, path: str | Path) -> Artefact:
        """What the file says of its model, quickly; errors as for `load`, but for damaged weights of the right length."""
        return cls._read(Path(path), weights=False)

    @classmethod
    def _read(cls, path: Path, weights: bool) -> Artefact:
        if not path.is_file():
            raise InputError(f"There is no model file {path}.")
        try:
            with safe_open(path, framework="pt") as file:
                metadata = (file.metadata() or {}).get(METADATA_KEY)
                if metadata is None:
                    raise InputError(f"{path.name} is a safetensors file, but not a model of this program.")
                description = json.loads(metadata)
                tensors = {name: file.get_tensor(name) for name in file.keys()} if weights else {}
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise InputError(f"{path.name} is not a readable model file (damaged, truncated or of another kind).") from error
        if not isinstance(description, dict) or not isinstance(version := description.pop("format", None), int):
            raise InputError(f"{path.name} is not a readable model file (its description is damaged).")
        if version > FORMAT:
            raise InputError(f"{path.name} was written by a newer version of this program; update it to use this model.")
        try:
            return cls(weights={name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}, **description)
        except TypeError as error:
            raise InputError(f"{path.name} is not a readable model file (its description is damaged).") from error
