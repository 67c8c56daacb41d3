"""The image's files and command, laid out and started as the Dockerfile says, without Docker: it was never built here."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import requests
from program import PROGRAM
from soak.job_client import FINAL

from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import add_token


def test_every_source_exists_and_is_part_of_the_context(stages, context):
    ignore = ignore_file(context)
    kept = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {source for stage in stages for sources, _, origin in stage.copies() if origin is None for source in sources}
    assert copied and all((context / source).exists() for source in copied)
    assert ignore[0] == "*" and all(any(source == name or source.startswith(f"{name}/") for name in kept) for source in copied)
    assert all((context / name).exists() for name in kept)


def test_base_is_pinned_and_the_user_is_not_root(stages, image):
    assert {stage.base for stage in stages} == {"python:3.11.14-slim-bookworm"}
    user, group = image.all("USER")[0].split(":")
    assert image.instructions[-1][0] == "CMD" and int(user) == int(group) > 0


def test_torch_comes_from_an_index_that_can_be_chosen(stages):
    build = stages[0]
    assert build.all("ARG") == ["TORCH_INDEX=https://download.pytorch.org/whl/cpu"]
    assert build.environment()["PIP_EXTRA_INDEX_URL"] == "${TORCH_INDEX}"
    assert build.environment()["PIP_CONSTRAINT"].endswith("/constraints.txt")


def ignore_file(context: Path) -> list[str]:
    lines = (context / "apps" / "anomaly" / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def left_out(context: Path, folder: str, names: list[str]) -> set[str]:
    """What the ignore file keeps out of a folder of the context."""
    place = Path(folder).relative_to(context)
    return {name for name in names if {str(place / name), f"**/{name}", f"**/*{Path(name).suffix}"} & set(ignore_file(context))}


class Container:
    """The files of the image below `root`, and its command on another port; whatever the image names is below `root` too."""

    def __init__(self, root: Path, stages, context: Path, port: int) -> None:
        self.root, self._image, self.port = root, stages[-1], port
        for stage in stages:
            here = self.place(stage.all("WORKDIR")[0])
            for sources, target, origin in stage.copies():
                for source in sources if origin is None else ():
                    to = self.place(target) if target.startswith("/") else here / target
                    if (context / source).is_dir():
                        shutil.copytree(context / source, to, dirs_exist_ok=True, ignore=partial(left_out, context))
                    else:
                        to = to / Path(source).name if target.endswith("/") else to
                        to.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy(context / source, to)
        self.volumes = [self.place(volume) for volume in self._image.words("VOLUME")]
        for folder in (*self.volumes, self.place("/opt/umaddpm/apps/anomaly/bin"), self.place("/tmp")):
            folder.mkdir(parents=True, exist_ok=True)

    def place(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def start(self, out, err, **settings: str) -> subprocess.Popen:
        image = {
            name: str(self.place(value)) if value.startswith("/") else value
            for name, value in self._image.environment().items()
            if name != "PATH"
        }
        environment = {**os.environ, **image, "PYTHONPATH": str(self.place("/opt/umaddpm")), "TMPDIR": str(self.place("/tmp")), **settings}
        program, *words = self._image.words("ENTRYPOINT") + self._image.words("CMD")
        assert program == "umaddpm"
        words = [str(self.port) if word == "8000" else str(self.place(word)) if word.startswith("/") else word for word in words]
        return subprocess.Popen([*PROGRAM, *words], cwd=self.place(self._image.all("WORKDIR")[0]), env=environment, stdout=out, stderr=err)

    def is_healthy(self) -> bool:
        """What the HEALTHCHECK of the image says."""
        _, *words = self._image.words("HEALTHCHECK")
        words = [word.replace(":8000", f":{self.port}") for word in words]
        return subprocess.run([sys.executable, *words], capture_output=True, timeout=60).returncode == 0

    def written(self) -> set[str]:
        """Files below the root, but for those of volumes and of the temporary folder."""
        elsewhere = [*self.volumes, self.place("/tmp")]
        files = (file for file in self.root.rglob("*") if not any(file.is_relative_to(folder) for folder in elsewhere))
        return {str(file.relative_to(self.root)) for file in files}


@pytest.fixture
def container(tmp_path, stages, context):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Container(tmp_path / "root", stages, context, port)


def test_the_command_serves_by_token_logs_json_and_stops_in_order_amid_a_job(container, small_scan, sample, tiny_model, tmp_path):
    token = add_token(container.place("/run/secrets/umaddpm_tokens"), "ward", Role.infer)
    shutil.copy(small_scan, container.place("/studies"))
    before = container.written()
    url, headers = f"http://127.0.0.1:{container.port}", {"Authorization": f"Bearer {token}"}
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = container.start(out, err, UMADDPM_MODEL=str(tiny_model))
    try:
        while "Ctrl-C" not in (tmp_path / "err").read_text():
            assert process.poll() is None, (tmp_path / "err").read_text()
            time.sleep(0.1)
        assert container.is_healthy()
        image = small_scan.name.removesuffix(".nii.gz")
        ask = {"url": f"{url}/infer/anomaly", "params": {"image": image, "output": "json"}, "timeout": 600}
        assert requests.post(**ask).status_code == 401
        assert requests.post(**ask, headers=headers).status_code == 200

        with sample.open("rb") as scan:
            job = requests.post(f"{url}/anomaly/jobs", files={"file": (sample.name, scan)}, headers=headers, timeout=120).json()["id"]
        while (state := requests.get(f"{url}/anomaly/jobs/{job}", headers=headers, timeout=60).json()["state"]) != "running":
            assert state not in FINAL
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    kept = json.loads((container.place("/var/lib/umaddpm") / "build" / "serve" / "jobs" / job / "job.json").read_text())
    assert kept["state"] == "interrupted" and kept["error"].endswith(".")
    messages = [json.loads(line)["message"] for line in (tmp_path / "out").read_text().splitlines()]
    assert "Application shutdown complete." in messages, "it ended by itself, before it would have been killed"
    assert container.written() == before, "everything was written to volumes"
