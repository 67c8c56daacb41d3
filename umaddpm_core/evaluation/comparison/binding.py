"""What a file of a comparison was made of, as a hash: it is used again only where nothing of that changed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import umaddpm_core
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.cohorts import Scan

JUDGING = ("data", "detection", "diffusion", "evaluation", "methods", "networks")
"""Packages whose code decides what a trained model's figures are."""


def hash_of(content: Any) -> str:
    """Sixteen digits of the SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def code_hash() -> str:
    """Of the source of all that judges."""
    root = Path(umaddpm_core.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for package in JUDGING for path in (root / package).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_hash(cache: ArrayCache) -> str:
    """Of which scans an array cache holds, in which parts, and how they were prepared."""
    return hash_of([cache.cohort, cache.settings, cache.fingerprints, [vars(scan) for scan in cache.scans()]])


def scans_hash(scans: list[Scan]) -> str:
    """Of the files of a list of scans: their names, sizes and dates."""
    files = [path for scan in scans for path in (scan.path, scan.lesions, scan.brain) if path is not None]
    return hash_of([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()])
