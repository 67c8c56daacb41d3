"""A server in an empty folder, which can be killed and started again there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soak.scans import unseen_copy

from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import Server


class Place:
    """Everything of one server below `home`: app, scans, labels, jobs, temporary files.

    Args:
        home: an empty folder.
        model: file of the model it serves.
        scan: which lies in its folder of scans.
    """

    def __init__(self, home: Path, model: Path, scan: Path) -> None:
        self.home, self.model, self.scan = home, model, scan
        self.studies, self.work = home / "studies", home / "work"
        for folder in (self.studies, home / "tmp", home / "uploads"):
            folder.mkdir(parents=True)
        shutil.copytree(app_folder(), home / "app", ignore=shutil.ignore_patterns("__pycache__", "logs", "model", "bin"))
        shutil.copy(scan, self.studies)

    @property
    def image(self) -> str:
        """Id of the scan in the folder of scans."""
        return self.scan.name.removesuffix(".nii.gz")

    @property
    def temporary(self) -> Path:
        """Where the server keeps temporary files."""
        return self.home / "tmp"

    @contextmanager
    def server(self, **settings: str) -> Iterator[Server]:
        """Start it, with further environment variables; it is stopped at the end, if it has not been killed."""
        own = {"UMADDPM_MODEL": str(self.model), "TMPDIR": str(self.temporary), "HOME": str(self.home)}
        with Server(self.home / "app", self.studies, self.work, port=free_port(), settings={**own, **settings}) as running:
            yield running

    def unseen(self, scan: Path | None = None) -> Path:
        """A copy of a scan, by default the place's own, under a name of its own, which no server can answer from memory."""
        return unseen_copy(scan or self.scan, self.home / "uploads")


def kill(server: Server) -> None:
    """End the server as a power cut would, at once and whatever it is doing."""
    os.kill(server.pid, signal.SIGKILL)


def free_port() -> int:
    """One of this computer's that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
