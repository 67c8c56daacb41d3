"""Which models a server has: shipped ones, those in its folder, the one it was started with, and which of them is in use."""

from __future__ import annotations

from pathlib import Path

from umaddpm_core.errors import InputError
from umaddpm_core.serving.models.described import DescribedModel, State, described, state_of
from umaddpm_core.serving.models.versions import NAME, SERVED, Versions


class Catalogue:
    """The model files of a server; looked for anew at every question, so a new file needs no restart.

    Args:
        folder: of further models and published versions; need not exist.
        own: path or name of the model that the server came with; None means the shipped default.
    """

    def __init__(self, folder: Path, own: str | None = None) -> None:
        self.folder = folder
        self._own = own or None
        self._failed: dict[tuple[Path, State], str] = {}

    def files(self) -> dict[str, Path]:
        """Every file that a request can name, whether or not it can be used."""
        from umaddpm_core.detection.models import shipped_models

        files = dict(shipped_models())
        # What is being written has a name that begins with a dot.
        files.update({path.stem: path for path in sorted(self.folder.glob("*.safetensors")) if not path.name.startswith(".")})
        if self._own and self._own not in files:
            files[Path(self._own).stem] = Path(self._own)
        return files

    def usable(self) -> dict[str, DescribedModel]:
        """The models by name."""
        return {name: found for name, found in self._read().items() if isinstance(found, DescribedModel)}

    def broken(self) -> dict[str, str]:
        """By name why a file, or what is to be in use, cannot be used: one sentence each."""
        found = {name: reason for name, reason in self._read().items() if isinstance(reason, str)}
        try:
            self.in_use(SERVED)
        except InputError as error:
            if str(error) not in found.values():
                found[f"{SERVED} in use"] = str(error)
        return found

    def own(self) -> DescribedModel:
        """The model that the server came with.

        Raises:
            InputError: it cannot be used.
        """
        from umaddpm_core.detection.models import find_model

        files = self.files()
        return self._described(files[self._own] if self._own in files else find_model(self._own))

    def default(self) -> DescribedModel:
        """The model for requests that name none: the version in use, and where there is none, or it is broken, the server's own.

        Raises:
            InputError: nor can the server's own be used.
        """
        try:
            return self.in_use(SERVED) or self.own()
        except InputError:
            return self.own()

    def in_use(self, name: str) -> DescribedModel | None:
        """The version of a model that is in use; None for the one the server came with.

        Raises:
            InputError: it cannot be used.
        """
        path = Versions(self.folder, name).in_use()
        return self._described(path) if path else None

    def find(self, name: str | None) -> DescribedModel:
        """The model of a name: of a file, or of a model whose version in use is meant; None for the default.

        Raises:
            InputError: there is none, or it cannot be used.
        """
        if name is None:
            return self.default()
        files = self.files()
        if name in files:
            return self._described(files[name])
        if NAME.fullmatch(name) and (version := self.in_use(name)):
            return version
        known = ", ".join(sorted(self.usable())) or "none"
        raise InputError(f"There is no model {name!r} on this server; it has {known}.")

    def failed(self, model: DescribedModel, reason: str) -> None:
        """Take note that a file cannot be used for a reason that its description did not show."""
        self._failed[model.path, model.state] = reason

    def _read(self) -> dict[str, DescribedModel | str]:
        found: dict[str, DescribedModel | str] = {}
        for name, path in self.files().items():
            try:
                found[name] = self._described(path)
            except InputError as error:
                found[name] = str(error)
        return found

    def _described(self, path: Path) -> DescribedModel:
        reason = self._failed.get((path, state_of(path)))
        if reason:
            raise InputError(reason)
        return described(path)
