"""Healthy people for a training on the server."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

PARTS = ["training"] * 4 + ["validation", "test", "test"]
"""Of the people P0 to P6."""


@pytest.fixture(scope="session")
def people(small_scan) -> Callable[[Path], dict[str, dict[str, str]]]:
    """Writes one scan under the names of seven people into a folder; returns the image info that puts them into the cohort."""

    def write(folder: Path) -> dict[str, dict[str, str]]:
        content = gzip.compress(gzip.decompress(small_scan.read_bytes()), 1)
        for i in range(len(PARTS)):
            (folder / f"P{i}-T1.nii.gz").write_bytes(content)
        return {f"P{i}-T1": {"cohort": "healthy", "subject": f"P{i}", "part": part} for i, part in enumerate(PARTS)}

    return write
