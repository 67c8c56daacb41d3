"""The Dockerfile and the compose file as data. Docker itself cannot be had in the tests."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from umaddpm_core.serving.checkout import app_folder, repository_root

FOLDER = app_folder() / "docker"


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows it."""

    base: str
    name: str
    instructions: list[tuple[str, str]]

    def all(self, instruction: str) -> list[str]:
        return [text for name, text in self.instructions if name == instruction]

    def words(self, instruction: str) -> list[str]:
        """The JSON list that the only such instruction holds."""
        (text,) = self.all(instruction)
        return json.loads(text[text.index("[") :])

    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for text in self.all("ENV") for pair in shlex.split(text))

    def copies(self) -> list[tuple[list[str], str, str | None]]:
        """Sources, target, and the stage that they come from; None for the context."""
        found = []
        for text in self.all("COPY"):
            *words, target = text.split()
            stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
            found.append((words, target, stage))
        return found


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    lines = [line for line in (FOLDER / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    stages: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, text = line.partition(" ")
        if instruction == "FROM":
            base, _, name = text.partition(" AS ")
            stages.append(Stage(base, name, []))
        else:
            stages[-1].instructions.append((instruction, text.strip()))
    return stages


@pytest.fixture(scope="session")
def image(stages) -> Stage:
    return stages[-1]


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


@pytest.fixture(scope="session")
def context() -> Path:
    return repository_root()
