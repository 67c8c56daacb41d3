"""What is kept of the last batch, so that its outcome outlives the server."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from umaddpm_core.data.replacing import remove_left_behind, replacing

SUBMITTED, RUNNING, DONE, STOPPED, FAILED = "SUBMITTED", "RUNNING", "DONE", "STOPPED", "ERROR"
"""States of a batch, as stock clients know them."""
WAITING, EXAMINED, UNUSABLE, SKIPPED = "waiting", "done", "failed", "skipped"
"""States of an image in it."""
KILLED = "The server was stopped before this batch was done; ask for it again, and it goes on where it was."
LINES = 20
"""Of the last images, which stock clients show as log."""

logger = logging.getLogger(__name__)


@dataclass
class Batch:
    """One batch.

    Attributes:
        request: what was asked for, by name.
        images: by id `state`, and `reason` where it failed or was skipped, else `marked_ml`.
        owner: name of the token that asked for it; None where the server had no tokens.
        created, ended: seconds since 1970.
        error: one sentence where it ended before its end.
    """

    request: dict[str, Any]
    images: dict[str, dict[str, Any]]
    owner: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = SUBMITTED
    created: float = field(default_factory=time.time)
    ended: float | None = None
    error: str | None = None

    @property
    def ongoing(self) -> bool:
        return self.status in (SUBMITTED, RUNNING)

    def end(self, status: str, error: str | None = None) -> None:
        """Give the batch its final state."""
        self.status, self.error, self.ended = status, error, time.time()

    def count(self, state: str) -> int:
        """How many images are in this state."""
        return sum(image["state"] == state for image in self.images.values())

    def described(self) -> dict[str, Any]:
        """What a client is told: the keys of stock MONAI Label, and the counts, failures and images."""
        states = list(self.images.items())
        return {
            "id": self.id,
            "status": self.status,
            "request": self.request,
            "start_ts": _local_time(self.created),
            "end_ts": _local_time(self.ended) if self.ended else None,
            "details": self._lines(),
            "error": self.error,
            "total": len(states),
            "done": self.count(EXAMINED),
            "failed": self.count(UNUSABLE),
            "skipped": self.count(SKIPPED),
            "left": self.count(WAITING),
            "failures": {image: told["reason"] for image, told in states if told["state"] == UNUSABLE},
            "images": self.images,
        }

    def _lines(self) -> list[str]:
        over = [(image, told) for image, told in self.images.items() if told["state"] != WAITING]
        lines = [
            f"{number} / {len(self.images)} => {image} => {told['state']}" + (f": {told['reason']}" if "reason" in told else "")
            for number, (image, told) in enumerate(over, 1)
        ]
        return [*lines[-LINES:], *([self.error] if self.error else [])]


class BatchRecord:
    """The file of the last batch.

    Args:
        folder: which only one server uses.
        hours: how long the record of an ended batch is kept.

    What another server process left as running is stopped from now on.
    """

    def __init__(self, folder: Path, hours: float) -> None:
        self._path, self._seconds = folder / "batch.json", hours * 3600
        self._changing = threading.RLock()
        remove_left_behind(folder)
        self._last = self._read()
        if self._last and self._last.ongoing:
            self._last.end(STOPPED, KILLED)
            self.save(self._last)

    def last(self) -> Batch | None:
        """The last batch, unless it ended too long ago."""
        with self._changing:
            if self._last and self._last.ended and time.time() - self._last.ended > self._seconds:
                self._last = None
                self._path.unlink(missing_ok=True)
            return self._last

    def save(self, batch: Batch) -> None:
        """Keep a batch as the last one, as it stands now."""
        with self._changing:
            with replacing(self._path) as temporary:
                temporary.write_text(json.dumps(asdict(batch)) + "\n")
            self._last = batch

    def forget(self, image: str) -> bool:
        """Take an image out of the record; whether it was there. The batch must not be examining it."""
        with self._changing:
            batch = self.last()
            if batch is None or image not in {*batch.images, *_named(batch)}:
                return False
            batch.images = {name: told for name, told in batch.images.items() if name != image}
            if image in _named(batch):
                batch.request["images"] = [name for name in _named(batch) if name != image]
            self.save(batch)
            return True

    def _read(self) -> Batch | None:
        try:
            kept = json.loads(self._path.read_text())
            return Batch(**{item.name: kept[item.name] for item in fields(Batch)})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            logger.warning("The record of the last batch cannot be read (%s) and is deleted.", error)
            self._path.unlink(missing_ok=True)
            return None


def _named(batch: Batch) -> list[str]:
    """The images that a client asked for by their ids."""
    images = batch.request.get("images")
    return images if isinstance(images, list) else []


def _local_time(seconds: float) -> str:
    """As MONAI Label writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
