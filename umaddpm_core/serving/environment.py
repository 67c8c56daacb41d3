"""Numbers that an administrator sets by environment variables."""

from __future__ import annotations

import os

from umaddpm_core.errors import InputError


def number(variable: str, default: float, *, least: float = 0, whole: bool = False) -> float:
    """The value of a variable, or the default where it is not set.

    Args:
        least: the smallest that is accepted.
        whole: whether it has to be an integer.

    Raises:
        InputError: it is no number, or too small.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    kind = "a whole number" if whole else "a number"
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise InputError(f"{variable} is {text!r}; it has to be {kind}.") from None
    if not least <= value < float("inf"):
        raise InputError(f"{variable} is {text}; it has to be {kind} of at least {least:g}.")
    return value
