"""One line of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """What was done to the server, what is demanded, and what was measured.

    Attributes:
        name: by which the row can be run alone.
        what: was done.
        demand: what had to come of it.
        figure: what came of it.
        passed: whether that is enough.
        details: further figures, for the JSON file.
    """

    name: str
    what: str
    demand: str
    figure: str
    passed: bool
    details: dict[str, Any] = field(default_factory=dict)
