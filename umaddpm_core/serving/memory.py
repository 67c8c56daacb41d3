"""Detections that were made, as many as fit, so that the same question need not be computed again."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from umaddpm_core.errors import Cancelled, InputError

if TYPE_CHECKING:
    from umaddpm_core.detection import Detection

MEGABYTES_VARIABLE = "UMADDPM_CACHE_MB"
"""Environment variable with the memory that detections may take."""
MEGABYTES = 1024.0

LOOK_S = 0.1
"""How often one who waits for another's answer looks whether it was cancelled."""


class Memory:
    """The last detections by question, with the threshold each was last asked for; safe for several threads.

    Args:
        megabytes: what their volumes may take; the newest stays even where it alone is larger.
    """

    def __init__(self, megabytes: float) -> None:
        self._bytes = megabytes * 1e6
        self._changed = threading.Condition()
        self._kept: OrderedDict[Hashable, tuple[str | float | None, Detection]] = OrderedDict()
        self._asked: set[Hashable] = set()

    @contextmanager
    def asking(self, question: Hashable, cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Let one thread at a time work on a question: whoever asks the same meanwhile finds its answer.

        Raises:
            Cancelled: `cancelled` returned true before the turn came.
        """
        with self._changed:
            while question in self._asked:
                self._changed.wait(LOOK_S)
                if cancelled is not None and cancelled():
                    raise Cancelled
            self._asked.add(question)
        try:
            yield
        finally:
            with self._changed:
                self._asked.remove(question)
                self._changed.notify_all()

    def get(self, question: Hashable) -> tuple[str | float | None, Detection] | None:
        """Threshold and detection, or None where the question is new or long ago."""
        with self._changed:
            return self._kept.get(question)

    def keep(self, question: Hashable, threshold: str | float | None, detection: Detection) -> None:
        """Keep an answer as the newest; the oldest go."""
        with self._changed:
            self._kept[question] = (threshold, detection)
            self._kept.move_to_end(question)
            size = sum(_size(kept) for _, kept in self._kept.values())
            while size > self._bytes and len(self._kept) > 1:
                _, (_, oldest) = self._kept.popitem(last=False)
                size -= _size(oldest)


def configured_megabytes() -> float:
    """The limit in the environment, else the default.

    Raises:
        InputError: it is no number.
    """
    text = os.environ.get(MEGABYTES_VARIABLE, "").strip()
    try:
        return float(text or MEGABYTES)
    except ValueError:
        raise InputError(f"{MEGABYTES_VARIABLE} is {text!r}; it has to be a number.") from None


def _size(detection: Detection) -> int:
    """Bytes of the volumes."""
    from umaddpm_core.detection.detection import VOLUMES

    images = (detection.scan, *(getattr(detection, volume) for volume in VOLUMES))
    return sum(
        image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel() * image.GetSizeOfPixelComponent() for image in images
    )
