"""The trainings of one server: they run in a process of their own, and tell the server how they go by a file."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from umaddpm_core.data.replacing import replacing
from umaddpm_core.errors import InputError
from umaddpm_core.serving.models.candidate import Candidate
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.versions import SERVED, Versions
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.serving.security.audit import record_job
from umaddpm_core.serving.security.audit_log import AuditLog

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore

BEFORE_THE_FIRST: dict[str, Any] = {"epoch": 0, "total_epochs": 1, "best_metric": 0.0}
"""What the stock Slicer module divides by and draws must be there from the beginning."""
ENTRIES_SHOWN = 10
NICENESS = 10
"""Detections come first, where both compute on the processor."""


class Trainings:
    """Runs trainings, and knows what came of the last one.

    Args:
        catalogue: of the models; versions are published in its folder.
        work: folder for what a training needs and leaves.
        audit: takes a line for every version that a training publishes.
    """

    def __init__(self, catalogue: Catalogue, work: Path, audit: AuditLog | None = None) -> None:
        self._catalogue, self._work, self._audit = catalogue, work, audit
        self.candidate = Candidate(work / "candidate.safetensors")

    def run(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train as a request of MONAI Label asks for, in this process and until it is done; one line per step is printed.

        Returns:
            What `retrain` returns.

        Raises:
            InputError: what is asked for is wrong, or another training runs.
        """
        from umaddpm_core.serving.retraining.run import retrain

        asked = RetrainingRequest.of(request)
        versions = Versions(self._catalogue.folder, asked.name)
        in_use = (None if asked.name == SERVED else self._catalogue.in_use(asked.name)) or self._catalogue.default()
        self._work.mkdir(parents=True, exist_ok=True)
        _be_modest()
        who = {"name": asked.name, "by": asked.by, "judged_against": in_use.name}
        figures = {**BEFORE_THE_FIRST, "total_epochs": asked.max_epochs, **who, "started": _now(), "ended": None}
        began = time.monotonic()

        def tell(line: str, told: dict[str, Any]) -> None:
            print(line, flush=True)
            figures.update(told, phase=line)
            self._write(figures)

        try:
            with FileLock(self._work / "training.lock", timeout=0):
                tell(f"training for {asked.name}, against {in_use.name}", {})
                try:
                    outcome = retrain(datastore, in_use.path, versions, self.candidate, self._work, asked, tell)
                except Exception as error:
                    self._write({**figures, "ended": _now(), "error": _reason(error)})
                    raise
                self._write({**figures, **outcome, "best_metric": _dice(outcome), "ended": _now(), "total_time": round(time.monotonic() - began, 1)})
                if outcome["published"]:
                    record_job(self._audit, asked.by, f"TRAIN {asked.name}", model=outcome["published"], action="published")
                return outcome
        except Timeout:
            raise InputError("Another training runs on this server.") from None

    def stats(self) -> dict[str, Any]:
        """What the last training, or the one that runs, has told, and the versions; `total_time` is there once it is done.

        Stock clients read `epoch`, `total_epochs`, `best_metric` and `total_time`.
        """
        try:
            figures = json.loads(self._statistics.read_text())
        except (OSError, ValueError):
            figures = BEFORE_THE_FIRST
        return {**figures, **self.versions(Versions(self._catalogue.folder, figures.get("name", SERVED)), ENTRIES_SHOWN)}

    def versions(self, versions: Versions, entries: int | None = None) -> dict[str, Any]:
        """Which version of a model is in use, those there are, the last entries of their history, and whether a trained model
        waits to be published as the next."""
        waiting = self.candidate.describe()
        try:
            in_use, history = versions.named_in_use(), versions.history()
        except InputError as error:
            return {"error": str(error)}
        return {
            "in_use": in_use,
            "versions": list(versions.published()),
            "history": history[-entries:] if entries else history,
            "candidate": waiting if waiting and waiting["name"] == versions.name else None,
        }

    @property
    def _statistics(self) -> Path:
        return self._work / "statistics.json"

    def _write(self, figures: dict[str, Any]) -> None:
        with replacing(self._statistics) as temporary:
            temporary.write_text(json.dumps(figures))


def _dice(outcome: Mapping[str, Any]) -> float:
    """Mean Dice of the new model over the sequences that were compared."""
    found = [one["candidate"] for some in outcome["judgement"]["comparisons"].values() for one in some if one["figure"] == "dice"]
    return sum(found) / len(found) if found else 0.0


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, InputError) else f"The training failed ({type(error).__name__}); the log of the server says where."


def _be_modest() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")  # of things it does itself
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
