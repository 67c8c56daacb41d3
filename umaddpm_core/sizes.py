"""Sizes as people write them: `500M`, `2G`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from umaddpm_core.errors import InputError

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size_setting(environment: Mapping[str, str], variable: str) -> int | None:
    """Bytes that an environment variable names, or None where it is not set.

    Raises:
        InputError: it is no size.
    """
    text = environment.get(variable, "").strip()
    if not text:
        return None
    parts = re.fullmatch(r"(\d{1,15})\s*([KMG]?)(?:i?B)?", text, flags=re.IGNORECASE)
    if parts is None or int(parts[1]) == 0:
        raise InputError(f"{variable} is {text!r}; write a size such as 500M or 2G.")
    return int(parts[1]) * UNITS[parts[2].upper()]


def gigabytes(size: float) -> str:
    """A number of bytes for a sentence."""
    return f"{size / 1e9:.1f} GB"
