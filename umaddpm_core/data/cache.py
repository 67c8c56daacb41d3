"""The array cache: a cohort's scans on the model's grid, ready for training on a machine without imaging libraries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from umaddpm_core.data.replacing import replacing
from umaddpm_core.errors import InputError

FORMAT = 2
INDEX = "index.json"
SETTINGS = "settings.json"
LEVELS = 255
"""A stored voxel is the intensity times this, rounded; 0 is outside the brain."""


@dataclass(frozen=True)
class CachedScan:
    """One scan of the cache: who, which sequence, which part of the split, and how well it was prepared.

    `has_lesions` says that a mask was given, even an empty one; not every scan of a patient (`healthy` is False) has one.
    `paired` says that the scan is also there on the grid of the same person's T1; `synthetic`, that no scanner made it: it
    was translated from the T1.
    """

    name: str
    subject: str
    modality: str
    part: str
    quality: dict[str, Any] = field(default_factory=dict)
    healthy: bool = True
    has_lesions: bool = False
    paired: bool = False
    synthetic: bool = False


class ArrayCache:
    """A folder with one compressed uint8 volume per scan and an index.

    Args:
        folder: made by `umaddpm preprocess`.

    Attributes:
        cohort: its name.
        settings: with which all scans were prepared.
        fingerprints: of the files that the preparation depends on, by what they are.

    Raises:
        InputError: not a cache, not filled to the end, or one of another format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            index = json.loads((self.folder / INDEX).read_text())
        except (OSError, json.JSONDecodeError) as error:
            if (self.folder / SETTINGS).exists():
                raise InputError(f"The array cache {folder} is not complete yet; run `umaddpm preprocess` to its end.") from error
            raise InputError(f"{folder} is not an array cache; make one with `umaddpm preprocess`.") from error
        if index.get("format") != FORMAT:
            raise InputError(f"The array cache {folder} is of another version; make it again with `umaddpm preprocess`.")
        self.cohort: str = index["cohort"]
        self.settings: dict[str, Any] = index["settings"]
        self.fingerprints: dict[str, str] = index["fingerprints"]
        self._scans = [CachedScan(**scan) for scan in index["scans"]]

    def scans(
        self, part: str | None = None, modality: str | None = None, healthy: bool | None = None, synthetic: bool | None = None
    ) -> list[CachedScan]:
        """The scans of one part of the split, one modality, healthy people or patients, real or synthetic; or of all."""
        wanted = {"part": part, "modality": modality, "healthy": healthy, "synthetic": synthetic}
        return [scan for scan in self._scans if all(value in (None, getattr(scan, name)) for name, value in wanted.items())]

    def levels(self, scan: CachedScan) -> np.ndarray:
        """A volume as stored: uint8 [96, 96, S], 0 outside the brain."""
        with np.load(volume_path(self.folder, scan.name)) as file:
            return file["volume"]

    def volume(self, scan: CachedScan) -> Tensor:
        """A volume [1, 96, 96, S] in [0, 1]; the brain is where it is not 0."""
        return torch.from_numpy(self.levels(scan)).float().div(LEVELS)[None]

    def lesions(self, scan: CachedScan) -> Tensor:
        """The lesion mask of a scan that has one: uint8 [1, 96, 96, S], 0 or 1."""
        with np.load(volume_path(self.folder, scan.name)) as file:
            return torch.from_numpy(file["lesions"])[None]

    def paired(self, scan: CachedScan) -> Tensor:
        """A paired scan on the grid of the same person's T1: [1, 96, 96, S] in [0, 1]."""
        with np.load(volume_path(self.folder, scan.name)) as file:
            return torch.from_numpy(file["paired"]).float().div(LEVELS)[None]


def is_cache(folder: Path) -> bool:
    """Whether `umaddpm preprocess` made this folder, or began to."""
    return (folder / SETTINGS).exists()


def parts_by_subject(folder: Path) -> dict[str, str]:
    """The part of every person in a cache; empty where there is no cache yet, or none that can be read."""
    try:
        return {scan.subject: scan.part for scan in ArrayCache(folder).scans()}
    except InputError:
        return {}


def volume_path(folder: Path, name: str) -> Path:
    """Where the cache in `folder` keeps the scan called `name`."""
    return folder / "volumes" / f"{name}.npz"


def write_volume(folder: Path, name: str, volume: Tensor, lesions: Tensor | None = None, paired: Tensor | None = None) -> None:
    """Store a volume [1, 96, 96, S] in [0, 1], at once or not at all.

    Args:
        lesions: its boolean lesion mask, where there is one.
        paired: the same scan on the grid of the person's T1, where both were on one grid.
    """
    arrays = {"volume": volume[0].mul(LEVELS).round().byte().numpy()}
    if paired is not None:
        arrays["paired"] = paired[0].mul(LEVELS).round().byte().numpy()
    if lesions is not None:
        arrays["lesions"] = lesions[0].byte().numpy()
    path = volume_path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def write_settings(folder: Path, cohort: str, settings: dict[str, Any], fingerprints: dict[str, str]) -> None:
    """Bind a cache to a cohort and to how its scans are prepared, before the first of them is."""
    with replacing(folder / SETTINGS) as temporary:
        bound = {"format": FORMAT, "cohort": cohort, "settings": settings, "fingerprints": fingerprints}
        temporary.write_text(json.dumps(bound, indent=1))


def write_index(folder: Path, scans: Iterable[CachedScan]) -> None:
    """Store what the cache holds, beside what it is bound to; only with it the cache can be used."""
    bound = json.loads((folder / SETTINGS).read_text())
    with replacing(folder / INDEX) as temporary:
        temporary.write_text(json.dumps({**bound, "scans": [asdict(scan) for scan in scans]}, indent=1))
