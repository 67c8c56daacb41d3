"""The model that was trained last, until it is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.models.versions import Versions

JUDGED = "judged"
"""Key of the provenance under which the judgement stands in the model file itself."""


class Candidate:
    """A calibrated model and the judgement on it, in one file: kept until it is published, or the next takes its place.

    Args:
        path: of the file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, model: Artefact, name: str, *, judgement: dict[str, Any], reasons: list[str], by: str) -> None:
        """Put a model in the place of the one before.

        Args:
            name: of the model whose next version it may become.
            judgement: figures, and whether they allow to publish it.
            reasons: against it.
            by: who asked for the training.
        """
        model.provenance = {**model.provenance, JUDGED: {"name": name, "judgement": judgement, "reasons": reasons, "by": by}}
        with self._alone():
            model.save(self._path, torch.float16)

    def describe(self) -> dict[str, Any] | None:
        """`name`, `judgement`, `reasons` and `by`; None where no model waits."""
        try:
            return Artefact.without_weights(self._path).provenance[JUDGED]
        except (InputError, KeyError):
            return None

    def publish(self, versions: Versions, *, by: str, override: bool = False) -> str:
        """Make it the next version, and put that in use.

        Args:
            by: who publishes it; recorded, as is whether the judgement was overridden.
            override: publish it although the judgement is against it.

        Returns:
            The name of the version.

        Raises:
            NotFound: no model of that name waits.
            InputError: the judgement is against it.
        """
        with self._alone():
            told = self.describe()
            if told is None or told["name"] != versions.name:
                raise NotFound(f"No trained model waits to be published as {versions.name}.")
            against = not told["judgement"]["passed"]
            if against and not override:
                reasons = " ".join(told["reasons"])
                raise InputError(f"The trained model is not published, because it may be worse: {reasons} `override` publishes it all the same.")
            version = versions.publish(self._path, {"by": by, "override": against, "judgement": told["judgement"]})
            self._path.unlink()
        return version

    def _alone(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._path.with_suffix(".lock"))
