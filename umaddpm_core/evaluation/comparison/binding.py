"""What a result of a comparison was made of, as a hash: it is used again only where nothing of that changed.

Neither paths nor dates nor the machine belong to it, so that results can be kept with the project and gone on with elsewhere.
"""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import umaddpm_core
from umaddpm_core.data.binding import fingerprint
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.cohorts import Scan

DECIDING = ("losses.py", "data", "detection", "diffusion", "evaluation", "methods", "networks", "training")
"""Code that decides what a model learns and what its figures are."""
TRAINING = ("losses.py", "data", "diffusion", "methods", "networks", "training")
"""Code that decides what a model learns."""
TELLING = ("detection/output.py", "detection/overview.py", *(f"evaluation/comparison/{name}.py" for name in ("figure", "table", "tables", "writing")))
"""Code among it that only shows them."""


def hash_of(content: Any) -> str:
    """Sixteen digits of the SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def code_hash(parts: tuple[str, ...] = DECIDING) -> str:
    """Of all that decides a result, or of other parts of the code; comments, docstrings and layout do not count."""
    root = Path(umaddpm_core.__file__).parent
    files = [path for name in parts for path in ((root / name).rglob("*.py") if (root / name).is_dir() else [root / name])]
    named = {path.relative_to(root).as_posix(): path for path in files}
    return hash_of({name: statements(path.read_text()) for name, path in named.items() if name not in TELLING})


def statements(source: str) -> str:
    """What Python code does, without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    return ast.dump(tree)


def cache_hash(cache: ArrayCache) -> str:
    """Of which scans an array cache holds, in which parts, and how they were prepared."""
    return hash_of([cache.cohort, cache.settings, cache.fingerprints, [vars(scan) for scan in cache.scans()]])


def scans_hash(scans: list[Scan]) -> str:
    """Of the names and content of the files of a list of scans."""
    paths = [path for scan in scans for path in (scan.path, scan.lesions, scan.brain) if path is not None]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*"))) if file.is_file()]
    return hash_of([(file.name, fingerprint(file)) for file in files])
