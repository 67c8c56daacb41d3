"""A real server with tokens, whose scans are examined, reviewed and deleted in tests; and what it writes down."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import SimpleITK as sitk

from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import add_token

HOLDERS = {"ada": Role.infer, "ben": Role.infer, "tom": Role.train, "eve": Role.admin}


@dataclass(frozen=True)
class Keyed:
    """The server: its folders lie below `home`, the scans in `studies`; everybody in `HOLDERS` has a token."""

    url: str
    home: Path
    tokens: dict[str, str]
    log: Path

    @property
    def studies(self) -> Path:
        return self.home / "studies"

    def ask(self, who: str, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=300, **arguments)

    def until(self, who: str, path: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask until the answer is as wanted."""
        deadline = time.monotonic() + 300
        while not reached(answer := self.ask(who, "GET", path).json()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer

    def job(self, who: str, scan: Path | None = None, **query: str) -> str:
        """The id of a job that was accepted."""
        files = {"file": (scan.name, scan.read_bytes())} if scan else None
        answer = self.ask(who, "POST", "/anomaly/jobs", params=query, files=files)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def ended(self, who: str, job: str) -> dict[str, Any]:
        return self.until(who, f"/anomaly/jobs/{job}", lambda state: state["state"] not in ("queued", "running"))

    def batch_ended(self) -> dict[str, Any]:
        return self.until("tom", "/batch/infer", lambda state: state["status"] not in ("SUBMITTED", "RUNNING"))

    def recorded(self, what: str, **facts: Any) -> list[dict[str, Any]]:
        """Entries of the audit log, which are written just after what they tell of."""

        def found() -> list[dict[str, Any]]:
            files = [file for file in (self.home / "audit").glob("audit.jsonl*") if file.suffix not in (".salt", ".part")]
            entries = [json.loads(line) for file in files for line in file.read_text().splitlines()]
            return [entry for entry in entries if entry["what"] == what and facts.items() <= entry.items()]

        deadline = time.monotonic() + 10
        while not found() and time.monotonic() < deadline:
            time.sleep(0.05)
        return found()


@pytest.fixture(scope="session")
def keyed(serve: Callable, oblique_scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    home = tmp_path_factory.mktemp("keyed")
    tokens = {name: add_token(home / "keys" / "tokens", name, role) for name, role in HOLDERS.items()}
    studies = home / "studies"
    studies.mkdir()
    another(oblique_scan, studies / "first-T1.nii.gz", 1)
    (studies / "broken-T1.nii.gz").write_bytes(b"this is no image")
    inverted(oblique_scan, studies / "inverted-T1.nii.gz")
    settings = {"UMADDPM_TOKENS": str(home / "keys" / "tokens"), "UMADDPM_AUDIT": str(home / "audit" / "audit.jsonl")}
    with serve(home, **settings) as running:
        yield Keyed(running.url, home, tokens, running.log)


def another(scan: Path, path: Path, number: int, level: int = 1) -> Path:
    """The same scan in a file of other bytes, so that no server can answer from memory."""
    path.write_bytes(gzip.compress(gzip.decompress(scan.read_bytes()), compresslevel=level, mtime=1000 + number))
    return path


def inverted(scan: Path, path: Path) -> Path:
    """A scan that is rejected: dark is bright."""
    image = sitk.ReadImage(str(scan), sitk.sitkFloat32)
    head = sitk.Cast(image > 0, sitk.sitkFloat32)
    sitk.WriteImage((float(sitk.GetArrayViewFromImage(image).max()) * 1.05 - image) * head, str(path))
    return path
