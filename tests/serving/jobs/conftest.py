"""A client of the job routes, for the server that all serving tests share or another one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

FINAL = ("done", "failed", "cancelled", "interrupted")


class JobClient:
    """Talks to the job routes of the server at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, file: Path | None = None, params: dict | str | None = None, **query: str) -> requests.Response:
        """`POST /anomaly/jobs`."""
        text = params if isinstance(params, str) else json.dumps(params or {})
        files = {"file": (file.name, file.read_bytes())} if file else None
        return requests.post(f"{self.url}/anomaly/jobs", params=query, data={"params": text}, files=files, timeout=120)

    def submit(self, file: Path | None = None, params: dict | None = None, **query: str) -> str:
        """The id of a job that was accepted."""
        response = self.post(file, params, **query)
        assert response.status_code == 202, response.text
        return response.json()["id"]

    def get(self, path: str = "") -> requests.Response:
        """`GET /anomaly/jobs` and what follows it."""
        return requests.get(f"{self.url}/anomaly/jobs{path}", timeout=120)

    def state(self, job: str) -> dict[str, Any]:
        response = self.get(f"/{job}")
        assert response.status_code == 200, response.text
        return response.json()

    def delete(self, job: str) -> requests.Response:
        return requests.delete(f"{self.url}/anomaly/jobs/{job}", timeout=120)

    def until(self, job: str, reached: Callable[[dict[str, Any]], bool], seconds: float = 300) -> dict[str, Any]:
        """Ask for the state until it is as wanted; it must not end otherwise."""
        deadline = time.monotonic() + seconds
        while not reached(state := self.state(job)):
            assert state["state"] not in FINAL, state
            assert time.monotonic() < deadline, state
            time.sleep(0.02)
        return state

    def done(self, job: str) -> dict[str, Any]:
        return self.until(job, lambda state: state["state"] == "done")

    def running(self, job: str) -> dict[str, Any]:
        return self.until(job, lambda state: state["state"] == "running")


@pytest.fixture
def jobs(server) -> JobClient:
    return JobClient(server.url)


@pytest.fixture
def client() -> type[JobClient]:
    """For a server of the test's own."""
    return JobClient
