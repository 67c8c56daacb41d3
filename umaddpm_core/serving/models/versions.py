"""The versions of a model that were published on this server, and which of them is in use."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.replacing import replacing
from umaddpm_core.errors import InputError

SERVED = "uma_ddpm"
"""The model whose version in use answers requests that name no model."""
HISTORY = "versions.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Versions:
    """Model files `NAME-v1.safetensors`, `NAME-v2.safetensors`, … in a folder, with a history of what was put in use and why.

    Args:
        folder: of the models; made when the first is published.
        name: of the model.

    A version is in use when the last entry of the history names it, or none names another; the history is written after
    the file, and both are replaced at once, so that a crash leaves the version before in use.
    """

    def __init__(self, folder: Path, name: str) -> None:
        if not NAME.fullmatch(name):
            raise InputError(f"A model cannot be called {name!r}; use letters, digits, - and _.")
        self.folder, self.name = folder, name

    @staticmethod
    def of_all(folder: Path) -> dict[str, Versions]:
        """Those of every model that has a history, and those of the served one."""
        return {name: Versions(folder, name) for name in sorted({SERVED, *Versions(folder, SERVED)._histories()})}

    def published(self) -> dict[str, Path]:
        """Every version by name, the oldest first."""
        found = {path.stem: path for path in self.folder.glob(f"{self.name}-v*.safetensors") if self._number(path.stem)}
        return dict(sorted(found.items(), key=lambda item: self._number(item[0])))

    def history(self) -> list[dict[str, Any]]:
        """What was published and put in use, in order: `version` (None: the model the server came with), `action`, `time`, and
        what was told of it.

        Raises:
            InputError: the file cannot be read.
        """
        return self._histories().get(self.name, [])

    def named_in_use(self) -> str | None:
        """The version that the history says is in use; None for the model that the server came with."""
        history = self.history()
        return history[-1]["version"] if history else None

    def in_use(self) -> Path | None:
        """The file of the version in use; None for the model that the server came with.

        Raises:
            InputError: the history cannot be read, or the file of the version is gone.
        """
        version = self.named_in_use()
        if version is None:
            return None
        path = self.folder / f"{version}.safetensors"
        if not path.is_file():
            raise InputError(f"The version {version} that is to be in use is not there any more; put another one in use.")
        return path

    def publish(self, model: Path, told: Mapping[str, Any]) -> str:
        """Copy a calibrated model under the next number and put it in use.

        Args:
            model: its file.
            told: what the history says of it, such as figures and who asked for it.

        Returns:
            The name of the version.

        Raises:
            InputError: the file is no model, or is not calibrated. Nothing has changed.
        """
        if not Artefact.load(model).calibration:
            raise InputError(f"The model {model.name} is not calibrated, so it cannot be published.")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            numbers = [self._number(version) for version in self.published()]
            version = f"{self.name}-v{max(numbers, default=0) + 1}"
            with replacing(self.folder / f"{version}.safetensors") as temporary:
                shutil.copyfile(model, temporary)
                with temporary.open("rb") as written:
                    os.fsync(written.fileno())
            self._append(version, "published", told)
        return version

    def use(self, version: str | None, told: Mapping[str, Any] | None = None) -> None:
        """Put a published version, or with None the model the server came with, in use again.

        Raises:
            InputError: there is no such version.
        """
        with self._alone():
            if version is not None and version not in self.published():
                known = ", ".join(self.published()) or "none"
                raise InputError(f"There is no version {version!r} of {self.name}; published are {known}.")
            self._append(version, "put in use", told or {})

    def roll_back(self, told: Mapping[str, Any] | None = None) -> str | None:
        """Put in use what was in use before the present version was published; returns its name, None for the server's own.

        Raises:
            InputError: nothing was published, or the server's own model is in use.
        """
        with self._alone():
            history = self.history()
            present = self.named_in_use()
            if present is None:
                raise InputError(f"The model {self.name} that the server came with is in use; there is nothing to go back to.")
            born = max(i for i, entry in enumerate(history) if entry["version"] == present and entry["action"] == "published")
            before = history[born - 1]["version"] if born else None
            self._append(before, "rolled back", told or {})
        return before

    def _append(self, version: str | None, action: str, told: Mapping[str, Any]) -> None:
        everything = self._histories()
        entry = {"version": version, "action": action, "time": datetime.now(UTC).isoformat(timespec="seconds"), **told}
        everything.setdefault(self.name, []).append(entry)
        with replacing(self.folder / HISTORY) as temporary, temporary.open("w") as file:
            json.dump(everything, file, indent=2)
            file.flush()
            os.fsync(file.fileno())

    def _histories(self) -> dict[str, list[dict[str, Any]]]:
        """Of every model, by name."""
        path = self.folder / HISTORY
        try:
            return json.loads(path.read_text()) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise InputError(f"The history of the models, {HISTORY} in their folder, cannot be read; repair or remove it.") from error

    def _alone(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".versions.lock")

    def _number(self, version: str) -> int:
        match = re.fullmatch(rf"{re.escape(self.name)}-v(\d+)", version)
        return int(match[1]) if match else 0
