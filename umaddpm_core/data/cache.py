"""The array cache: a cohort's scans on the model's grid, ready for training on a machine without imaging libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from umaddpm_core.errors import InputError

FORMAT = 1
INDEX = "index.json"
LEVELS = 255
"""A stored voxel is the intensity times this, rounded; 0 is outside the brain."""


@dataclass(frozen=True)
class CachedScan:
    """One scan of the cache: who, which sequence, which part of the split, and how well it was prepared."""

    name: str
    subject: str
    modality: str
    part: str
    quality: dict[str, Any] = field(default_factory=dict)


class ArrayCache:
    """A folder with one compressed uint8 volume per scan and an index.

    Args:
        folder: made by `umaddpm preprocess`.

    Raises:
        InputError: not a cache, or one of another format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            index = json.loads((self.folder / INDEX).read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise InputError(f"{folder} is not an array cache; make one with `umaddpm preprocess`.") from error
        if index.get("format") != FORMAT:
            raise InputError(f"The array cache {folder} is of another version; make it again with `umaddpm preprocess`.")
        self.cohort: str = index["cohort"]
        self._scans = [CachedScan(**scan) for scan in index["scans"]]

    def scans(self, part: str | None = None, modality: str | None = None) -> list[CachedScan]:
        """The scans of one part of the split and one modality, or of all."""
        return [s for s in self._scans if part in (None, s.part) and modality in (None, s.modality)]

    def levels(self, scan: CachedScan) -> np.ndarray:
        """A volume as stored: uint8 [96, 96, S], 0 outside the brain."""
        with np.load(volume_path(self.folder, scan.name)) as file:
            return file["volume"]

    def volume(self, scan: CachedScan) -> Tensor:
        """A volume [1, 96, 96, S] in [0, 1]; the brain is where it is not 0."""
        return torch.from_numpy(self.levels(scan)).float().div(LEVELS)[None]


def volume_path(folder: Path, name: str) -> Path:
    """Where the cache in `folder` keeps the scan called `name`."""
    return folder / "volumes" / f"{name}.npz"


def write_volume(folder: Path, name: str, volume: Tensor) -> None:
    """Store a volume [1, 96, 96, S] in [0, 1], at once or not at all."""
    path = volume_path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    np.savez_compressed(temporary, volume=volume[0].mul(LEVELS).round().byte().numpy())
    os.replace(temporary, path)


def write_index(folder: Path, cohort: str, scans: Iterable[CachedScan]) -> None:
    """Store what the cache holds, at once or not at all."""
    temporary = folder / f".{os.getpid()}.{INDEX}"
    index = {"format": FORMAT, "cohort": cohort, "scans": [asdict(scan) for scan in scans]}
    temporary.write_text(json.dumps(index, indent=1))
    os.replace(temporary, folder / INDEX)
