"""What the fields of a request may hold: JSON of a sensible size, and no paths in it."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from umaddpm_core.serving.security.confinement import NAMES, require_name
from umaddpm_core.serving.security.refusal import Refused

LARGEST_FIELD = 1 << 20
"""Bytes of a form field, or of a request body that is no form."""
JSON_FIELDS = ("params", "info")
DEEPEST = 50
LOADS_CODE = ("bundle_path", "bundle", "script")
"""Parameters that put a folder on the Python path of a job or name code for it to run."""


def require_plain_json(name: str, text: str, *, comments: bool = False) -> dict[str, Any]:
    """The object that the text holds.

    Args:
        name: of the field, for the sentence.
        comments: whether its values are notes of a person, which may hold anything under other names than `NAMES`.

    Raises:
        Refused: not a JSON object, too deep, numbers that are none, or paths.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise Refused(422, f"The field `{name}` is not JSON ({str(error)[:100]}).") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(422, f"The field `{name}` has to be a JSON object such as {{\"threshold\": \"synthetic_dice\"}}.")
    _require_plain(name, value, comments, 0)
    return value


def _require_plain(name: str, value: Any, comments: bool, depth: int) -> None:
    if depth > DEEPEST:
        raise Refused(422, f"`{name}` is nested too deeply.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _require_plain_text("a name in `params`", key, True)
            if key in LOADS_CODE:
                raise Refused(422, f"`{key}` cannot be chosen by a request.")
            _require_plain(key, inner, comments, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_plain(name, inner, comments, depth + 1)
    elif isinstance(value, float) and not isfinite(value):
        raise Refused(422, f"`{name}` has to be a finite number.")
    elif isinstance(value, str):
        if name in NAMES:
            require_name(name, value)
        _require_plain_text(f"`{name}`", value, comments)


def _require_plain_text(what: str, value: str, comments: bool) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(422, f"{what} holds half a character.") from None
    if comments:
        return
    if value.startswith(("/", "\\", "~", "file:")) or re.match(r"[A-Za-z]:[/\\]", value) or ".." in re.split(r"[/\\]", value):
        raise Refused(422, f"{what} holds a path ({value[:60]!r}); requests name things by their ids.")
    if "\0" in value:
        raise Refused(422, f"{what} holds a character that cannot be printed.")
