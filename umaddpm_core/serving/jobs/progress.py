"""How far a detection is, and how long it will take from what earlier ones took."""

from __future__ import annotations

import threading
import time
from typing import Any

from umaddpm_core.detection.phases import PHASES as DETECTING

READING, WRITING = "reading the scan", "writing the results"
PHASES = (READING, *DETECTING, WRITING)
"""What a job goes through, in this order; the first is over before the detector tells anything."""

NEWEST = 0.3
"""What the newest detection counts in the mean duration of a phase."""


class Durations:
    """Mean seconds of every phase over the detections so far, the newest counting most; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def learn(self, seconds: dict[str, float]) -> None:
        """Take in the seconds that one detection spent in its phases."""
        with self._lock:
            for phase, new in seconds.items():
                self._seconds[phase] = new + (1 - NEWEST) * (self._seconds.get(phase, new) - new)

    def of(self, phases: tuple[str, ...]) -> float | None:
        """Seconds that these phases take together, or None before anything was learned."""
        with self._lock:
            return sum(self._seconds.get(phase, 0.0) for phase in phases) if self._seconds else None


class Progress:
    """Told by one detection of its share (0–1) and phase; asked by whoever watches it.

    Survives the copy that MONAI Label makes of every request, as `Cancellation` does.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self.phase: str | None = None
        self._began = time.monotonic()
        self._seconds: dict[str, float] = {}

    def __deepcopy__(self, memo: dict) -> Progress:
        return self

    def __call__(self, share: float, phase: str) -> None:
        """The detector's callback; with all of its work done the results remain to be written."""
        phase = WRITING if share >= 1 else phase
        if phase != self.phase:
            self.end()
            self.phase, self._began = phase, time.monotonic()
        self.share = share

    def end(self) -> dict[str, float]:
        """Close the present phase; the seconds of all phases so far. Empty where nothing had to be computed."""
        if self.phase is not None:
            self._seconds[self.phase] = time.monotonic() - self._began
        return self.seconds

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of the phases that are over."""
        return dict(self._seconds)

    @property
    def step(self) -> int:
        """Number of the present phase among `PHASES`, the first being 1; 0 before the work has begun."""
        return PHASES.index(self.phase) + 1 if self.phase in PHASES else 0

    def seconds_left(self, durations: Durations) -> float | None:
        """Seconds until the work is done, or None where nothing is known yet."""
        if self.phase is None:
            return durations.of(PHASES)
        present = durations.of((self.phase,))
        if present is None:
            return None
        rest = max(0.0, present - (time.monotonic() - self._began))
        return rest + durations.of(PHASES[self.step :])

    def as_dict(self) -> dict[str, Any]:
        return {"phase": self.phase, "step": self.step, "steps": len(PHASES), "progress": round(self.share, 3)}
