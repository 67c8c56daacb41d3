"""What a model file says of its model, read without its weights, and once only while the file stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError

if TYPE_CHECKING:
    from umaddpm_core.detection.calibration import Threshold

FILES_REMEMBERED = 1000
TOLD_OF_PROVENANCE = (
    "experiment", "preset", "cohort", "training_scans", "synthetic_t2", "synthetic_share", "steps", "slices", "seed", "package_version",
)  # fmt: skip
"""Who the training people were is not told."""

State = tuple[int, int]


@dataclass(frozen=True)
class DescribedModel:
    """A model that can be used: its file in its present state, and its artefact without weights."""

    path: Path
    state: State
    artefact: Artefact = field(compare=False)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def modalities(self) -> list[str]:
        return list(self.artefact.modalities)

    def thresholds(self, modality: str) -> dict[str, Threshold]:
        """The calibrated thresholds of the default score, by name."""
        from umaddpm_core.detection.calibration import calibrated_thresholds

        return calibrated_thresholds(self.artefact.calibration[modality])

    def as_dict(self) -> dict[str, Any]:
        """For who chooses a model: what it is for, its thresholds with what each costs on healthy scans, its origin, and the
        hash of its weights, by which results name it.

        Raises:
            InputError: the weights are damaged.
        """
        thresholds = {
            modality: {
                "default": self.artefact.calibration[modality]["threshold"],
                "calibrated": {name: one.as_dict() for name, one in self.thresholds(modality).items()},
            }
            for modality in self.modalities
        }
        origin = self.artefact.provenance
        return {
            "name": self.name,
            "method": self.artefact.method,
            "modalities": self.modalities,
            "thresholds": thresholds,
            "provenance": {
                **{key: origin[key] for key in TOLD_OF_PROVENANCE if key in origin},
                "fine_tuned": bool(origin.get("started_from")),
            },
            "licence": self.artefact.licence,
            "weights": _digest(self.path, self.state),
        }


def state_of(path: Path) -> State:
    """What changes when a file is replaced: time of change in ns, and size in bytes.

    Raises:
        InputError: there is no such file any more.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"The model file {path.name} is not there any more.") from error
    return status.st_mtime_ns, status.st_size


def described(path: Path) -> DescribedModel:
    """The model in a file.

    Raises:
        InputError: it cannot be used, in one sentence why: missing, damaged, of another kind or newer, not calibrated.
    """
    found = _read(path, state_of(path))
    if isinstance(found, str):
        raise InputError(found)
    return found


@lru_cache(FILES_REMEMBERED)
def _read(path: Path, state: State) -> DescribedModel | str:
    """The model, or why it cannot be used."""
    from umaddpm_core.detection.calibration import calibrated_thresholds, chosen_threshold
    from umaddpm_core.methods import build_config

    try:
        artefact = Artefact.without_weights(path)
        build_config(artefact.method, artefact.config)
        if not artefact.modalities or not artefact.calibration:
            return f"{path.name} is not calibrated; run `umaddpm calibrate` on it first."
        for modality in artefact.modalities:
            chosen_threshold(artefact.calibration[modality], None, None)
            calibrated_thresholds(artefact.calibration[modality])
        dict(artefact.provenance)
    except InputError as error:
        return str(error)
    except (TypeError, KeyError, ValueError, AttributeError):
        return f"{path.name} is not a readable model file (its description is damaged)."
    return DescribedModel(path, state, artefact)


@lru_cache(FILES_REMEMBERED)
def _digest(path: Path, state: State) -> str:
    return Artefact.load(path).digest()
