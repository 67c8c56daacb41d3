"""The server that malformed requests are sent to, and what none of its answers may be."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import requests

SECONDS = 20
"""Within which every answer has to be there; a detection is none of them."""
FOLDERS = ("studies", "work", "audit", "tmp", "app")
"""Of a server's home: where it may write."""


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        url, headers: where it answers, and with which token.
        image: id of the one scan it has.
        home: its folder, with those of `FOLDERS`.
        statuses: of all answers so far.
    """

    url: str
    image: str
    home: Path
    headers: dict[str, str] = field(default_factory=dict)
    statuses: Counter = field(default_factory=Counter)

    def judge(self, answer: requests.Response, sent: float) -> None:
        """Note an answer to what was sent at `time.monotonic() == sent`; AssertionError where it is none that may be."""
        self.statuses[answer.status_code] += 1
        request, text = answer.request, answer.text
        assert answer.status_code < 500, text
        assert time.monotonic() - sent < SECONDS
        if answer.status_code >= 400 and request.method != "HEAD" and answer.headers.get("content-type", "").startswith("application/json"):
            assert isinstance(answer.json()["detail"], str)
        assert str(self.home) not in text or request.path_url.startswith("/logs")

    def outside(self) -> set[Path]:
        """Every file below its home that lies in no folder of the server's own."""
        return {file for file in self.home.rglob("*") if file.relative_to(self.home).parts[0] not in FOLDERS}

    def temporary(self) -> set[str]:
        """Temporary files; the configuration of its log stays as long as the server runs."""
        return {str(file) for file in (self.home / "tmp").rglob("*") if file.suffix != ".json"}

    def left_behind(self, before: set[str]) -> set[str]:
        """Temporary files that were not there before, and still are when the server has been left alone for a while."""
        deadline = time.monotonic() + SECONDS
        while (new := self.temporary() - before) and time.monotonic() < deadline:
            time.sleep(0.1)
        return new

    def scan(self) -> bytes:
        return (self.home / "studies" / f"{self.image}.nii.gz").read_bytes()

    def leading_out(self) -> list[Path]:
        """What in the folder of scans leads out of it, by a link that came with a request."""
        studies = (self.home / "studies").resolve()
        return [file for file in studies.rglob("*") if file.is_symlink() and file.name != "leak.nii.gz" and not file.resolve().is_relative_to(studies)]
