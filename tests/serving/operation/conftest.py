"""A server whose log is JSON and whose memory is small, and what it counts."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from soak.job_client import JobClient

MEMORY = "2500M"


class Observed:
    """The server `running`, looked at as an administrator does."""

    def __init__(self, running) -> None:
        self.running = running

    def metrics(self) -> Counter:
        """Value by name and labels of every sample."""
        text = requests.get(f"{self.running.url}/metrics", timeout=60).text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return Counter({(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples})

    def log(self) -> list[dict[str, Any]]:
        """The entries of the log."""
        return [json.loads(line) for line in self.running.log.read_text().splitlines()]

    def logged(self, request: str, seconds: float = 20) -> list[dict[str, Any]]:
        """The entries of a request, once it has been answered."""
        deadline = time.monotonic() + seconds
        found = []
        while not any("route" in entry for entry in found):
            assert time.monotonic() < deadline, f"nothing was logged of {request}"
            time.sleep(0.02)
            found = [entry for entry in self.log() if entry.get("request") == request]
        return found


@pytest.fixture(scope="session")
def observed(serve, tmp_path_factory) -> Iterator[Observed]:
    with serve(tmp_path_factory.mktemp("observed"), UMADDPM_LOGS="json", UMADDPM_MEMORY=MEMORY) as running:
        yield Observed(running)


@pytest.fixture
def observed_jobs(observed) -> JobClient:
    return JobClient(observed.running.url)
