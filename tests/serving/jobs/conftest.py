"""A client of the job routes, for the server that all serving tests share or another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from soak.job_client import JobClient


@pytest.fixture
def jobs(server) -> JobClient:
    return JobClient(server.url)


@pytest.fixture
def client() -> type[JobClient]:
    """For a server of the test's own."""
    return JobClient
