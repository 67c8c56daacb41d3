"""One real server on a free loopback port for all tests that talk to one; it writes only below pytest's own folder."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import requests
import SimpleITK as sitk
from program import started

from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import Server


@dataclass(frozen=True)
class Running:
    """The server under test: `scan` is in its datastore under `image`, `scratch` is its folder for temporary files."""

    url: str
    scan: Path
    image: str
    scratch: Path
    log: Path

    def ask(self, *, params: dict | str | None = None, file: Path | None = None, **query: str) -> requests.Response:
        """`POST /infer/anomaly` with the query, the form field `params` and, where given, a file to upload."""
        text = params if isinstance(params, str) else json.dumps(params or {})
        with ExitStack() as open_files:
            files = {"file": (file.name, open_files.enter_context(file.open("rb")))} if file else None
            return requests.post(
                f"{self.url}/infer/anomaly", params=query, data={"params": text}, files=files, timeout=600
            )

    def temporary_files(self) -> list[str]:
        """What requests have left behind. Logging configuration of the launcher stays as long as the server runs."""
        return sorted(file.name for file in self.scratch.iterdir() if file.suffix != ".json")

    def left_only(self, before: list[str], seconds: float = 10.0) -> bool:
        """Whether nothing but this is there; files of an answer are removed just after it was sent."""
        deadline = time.monotonic() + seconds
        while (left := self.temporary_files()) != before and time.monotonic() < deadline:
            time.sleep(0.05)
        return left == before


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path, tiny_model: Path, port: int) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts `umaddpm serve` with the tiny model in an empty folder; what still runs at the end of the test is stopped."""
    running: list[subprocess.Popen] = []

    def run(*options: str, **settings: str) -> subprocess.Popen:
        running.append(started(tmp_path, "serve", "--port", str(port), *options, UMADDPM_MODEL=str(tiny_model), **settings))
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def oblique_scan(small_scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small scan as if acquired at a tilt, so that a grid which is merely similar does not pass for its own."""
    scan = sitk.ReadImage(str(small_scan))
    tilt = sitk.Euler3DTransform()
    tilt.SetRotation(0.10, -0.06, 0.04)
    direction = np.reshape(tilt.GetMatrix(), (3, 3)) @ np.reshape(scan.GetDirection(), (3, 3))
    scan.SetDirection(direction.ravel().tolist())
    path = tmp_path_factory.mktemp("oblique") / small_scan.name
    sitk.WriteImage(scan, str(path))
    return path


@pytest.fixture(scope="session")
def server(serve: Callable[..., AbstractContextManager[Running]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def serve(tiny_model: Path, oblique_scan: Path) -> Callable[..., AbstractContextManager[Running]]:
    """Starts a server in a folder of its own, which may be that of an earlier one, with further environment variables."""
    return partial(_server, tiny_model, oblique_scan)


@contextmanager
def _server(tiny_model: Path, oblique_scan: Path, home: Path, port: int | None = None, **further: str) -> Iterator[Running]:
    app, studies, scratch = home / "app", home / "studies", home / "tmp"
    ignored = shutil.ignore_patterns("__pycache__", "logs", "model", "bin")
    shutil.copytree(app_folder(), app, ignore=ignored, dirs_exist_ok=True)
    studies.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    shutil.copy(oblique_scan, studies)
    settings = {"UMADDPM_MODEL": str(tiny_model), "TMPDIR": str(scratch), "HOME": str(home), **further}
    with Server(app, studies, home / "work", port=port or free_port(), settings=settings) as running:
        image = oblique_scan.name.removesuffix(".nii.gz")
        yield Running(running.url, studies / oblique_scan.name, image, scratch, running.log)


@pytest.fixture
def unseen_scan(server: Running, unseen: Callable[[Path], Path]) -> Callable[[], Path]:
    """Makes copies of the scan in the datastore that the server cannot answer from memory."""
    return partial(unseen, server.scan)


@pytest.fixture
def unseen(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes copies of a scan that no server can answer from memory: another gzip time stamp, the same scan."""

    def copy(scan: Path) -> Path:
        number = next(_numbers)
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / scan.name
        path.write_bytes(gzip.compress(gzip.decompress(scan.read_bytes()), compresslevel=1, mtime=number))
        return path

    return copy


@pytest.fixture
def long_scan(sample, unseen) -> Callable[[], Path]:
    """Makes copies of a whole head, which takes many times as long as the small scan."""
    return lambda: unseen(sample)


_numbers = itertools.count(1)
