"""What a client may ask of the inferer, read from the JSON text of the form field `params`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from umaddpm_core.errors import InputError

MASK_EXTENSIONS = (".nii.gz", ".nrrd")
ARCHIVE_EXTENSION = ".zip"
SEG_EXTENSION = ".dcm"
EXTENSIONS = (*MASK_EXTENSIONS, SEG_EXTENSION, ARCHIVE_EXTENSION)
SMALLEST = 2.0**-126
"""Threshold: what is nearer to 0 is 0 for the anomaly map, which has single precision."""
UNSET = ("", "auto", "default")
"""What a form sends for "as the model was calibrated"."""


@dataclass(frozen=True)
class Parameters:
    """Validated parameters of one request; None means as the model was calibrated.

    `model` is the name of a model file, `series` the number, UID or description of a DICOM series, `threshold` the name of
    a calibrated threshold or a number on the anomaly map. `write_back` stores the results in the archive of the server.
    """

    model: str | None = None
    series: str | None = None
    modality: str | None = None
    score: str | None = None
    threshold: str | float | None = None
    result_extension: str = ".nii.gz"
    write_back: bool = False

    @classmethod
    def from_json(cls, text: str) -> Parameters:
        """Read the form field.

        Raises:
            InputError: not JSON, not an object, or a value of the wrong kind.
        """
        try:
            fields = json.loads(text or "{}")
        except (ValueError, RecursionError) as error:
            raise InputError(f"The field `params` is not JSON ({error}).") from error
        if not isinstance(fields, dict):
            raise InputError("The field `params` has to be a JSON object such as {\"threshold\": \"synthetic_dice\"}.")
        return cls.from_mapping(fields)

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> Parameters:
        """Pick the parameters that are ours; others that stock clients send (`device`, `image`, `logging`) do nothing.

        Raises:
            InputError: a value of the wrong kind.
        """
        extension = _word(fields, "result_extension") or cls.result_extension
        if extension not in EXTENSIONS:
            raise InputError(f"`result_extension` is {extension!r}; it has to be one of {', '.join(EXTENSIONS)}.")
        return cls(
            model=_word(fields, "model"),
            series=_series(fields),
            modality=_word(fields, "modality"),
            score=_word(fields, "score"),
            threshold=_threshold(fields),
            result_extension=extension,
            write_back=_switch(fields, "write_back"),
        )


def _word(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"`{name}` has to be a word, not {json.dumps(value)[:60]}.")
    return None if value is None or value.strip().lower() in UNSET else value.strip()


def _switch(fields: Mapping[str, Any], name: str) -> bool:
    """Forms send `true` as text."""
    value = fields.get(name)
    value = {"true": True, "false": False, "": False}.get(value.strip().lower()) if isinstance(value, str) else value or False
    if not isinstance(value, bool):
        raise InputError(f"`{name}` has to be true or false.")
    return value


def _series(fields: Mapping[str, Any]) -> str | None:
    """A series number may come as a number."""
    value = fields.get("series")
    return str(value) if type(value) is int else _word(fields, "series")


def _threshold(fields: Mapping[str, Any]) -> str | float | None:
    value = fields.get("threshold")
    if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
        raise InputError(f"`threshold` has to be a name or a number, not {json.dumps(value)[:60]}.")
    if isinstance(value, str):
        name = _word(fields, "threshold")
        try:
            value = float(name) if name is not None else None
        except ValueError:
            return name
    if value is None:
        return None
    if not abs(value) <= sys.float_info.max:
        raise InputError("`threshold` has to be a finite number.")
    if 0 < value < SMALLEST:
        raise InputError(f"A `threshold` of {value:g} is of no use; give a larger number.")
    return float(value)
