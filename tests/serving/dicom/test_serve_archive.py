"""`umaddpm serve --studies http://…` as a person starts it."""

import os
import re
import signal
import socket
import subprocess
import sys

import orthanc as archives
import pytest

from umaddpm_core.serving.checkout import repository_root

COMMAND = "import sys; from umaddpm_core.cli.main import main; sys.argv[0] = 'umaddpm'; main()"


@pytest.fixture
def start(tmp_path, tiny_model):
    started = []

    def run(*options: str, **settings: str) -> subprocess.Popen:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        paths = os.pathsep.join(filter(None, [str(repository_root()), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "UMADDPM_MODEL": str(tiny_model), "COLUMNS": "100", **settings}
        command = [sys.executable, "-c", COMMAND, "serve", "--port", str(port), *options]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, bufsize=1,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT))  # fmt: skip
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def printed_until_ready(process) -> str:
    printed = []
    for line in process.stdout:
        printed.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(printed)


def test_serve_lists_the_series_of_an_archive(start, orthanc, stored, tmp_path):
    credentials = {"MONAI_LABEL_DICOMWEB_USERNAME": archives.USER, "MONAI_LABEL_DICOMWEB_PASSWORD": archives.PASSWORD}
    process = start("--studies", orthanc.url, **credentials)
    text = printed_until_ready(process)
    assert "examined in" in text, "the demonstration works beside an archive too"
    assert int(re.search(r"scans in the datastore: (\d+)", text)[1]) >= 3
    assert not list((tmp_path / "build" / "serve" / "archive").glob("*/series/*"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    for file in (tmp_path / "build").rglob("*"):
        assert not file.is_file() or archives.PASSWORD.encode() not in file.read_bytes()


def test_serve_starts_beside_an_archive_that_is_down_and_says_so(start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{probe.getsockname()[1]}/dicom-web"
        text = printed_until_ready(start("--studies", gone, "--no-demonstrate"))
    assert "does not answer" in text


@pytest.mark.parametrize("address", ["http://user:secret@host/dicom-web", "http:///dicom-web"])
def test_serve_refuses_an_address_that_cannot_be_served(start, address):
    process = start("--studies", address)
    assert process.wait(60) == 2
    assert "secret" not in process.stdout.read()
