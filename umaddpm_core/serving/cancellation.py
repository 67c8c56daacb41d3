"""A flag that one request carries to the detector, so that work nobody waits for any more can stop."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any


class Cancellation(threading.Event):
    """An event that survives the copy which MONAI Label makes of every request."""

    def __deepcopy__(self, memo: dict) -> Cancellation:
        return self

    @staticmethod
    def of(request: Mapping[str, Any]) -> Cancellation:
        """The flag in `request`, or a fresh one that nobody will set."""
        flag = request.get("cancellation")
        return flag if isinstance(flag, Cancellation) else Cancellation()
