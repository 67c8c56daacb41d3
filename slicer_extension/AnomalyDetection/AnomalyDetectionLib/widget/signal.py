"""Telling others of a change, without Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Signal:
    """Calls everything that is connected, in the order in which it was."""

    def __init__(self) -> None:
        self._slots: list[Callable[..., None]] = []

    def connect(self, slot: Callable[..., None]) -> None:
        self._slots.append(slot)

    def emit(self, *values: Any) -> None:
        for slot in list(self._slots):
            slot(*values)
