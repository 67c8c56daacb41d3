"""What is said of a scan's quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "check", "reject"]


@dataclass(frozen=True)
class QualityReport:
    """Whether a model can judge a scan.

    Attributes:
        verdict: `reject` where a result would mean nothing, `check` where a person has to look before believing it.
        reasons: one sentence each, the worst first; none where the verdict is `ok`.
        figures: what was measured, by name.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    figures: dict[str, float | str]

    def as_dict(self) -> dict[str, Any]:
        """For the report of a detection."""
        return {"verdict": self.verdict, "reasons": list(self.reasons), "figures": dict(self.figures)}
