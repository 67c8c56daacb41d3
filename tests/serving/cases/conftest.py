"""A file that nobody can write to, not even an administrator."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def unwritable() -> Iterator[Callable[[Path], Path]]:
    """Makes such a file: a program that runs."""
    running: list[subprocess.Popen] = []

    def make(path: Path) -> Path:
        shutil.copy(shutil.which("sleep"), path)
        running.append(subprocess.Popen([str(path), "600"]))
        return path

    yield make
    for process in running:
        process.kill()
        process.wait()
