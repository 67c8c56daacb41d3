"""`umaddpm serve` as a person starts it."""

import os
import re
import signal
import subprocess
import sys

import pytest
import requests

from umaddpm_core.serving.checkout import repository_root, sample_scans

COMMAND = "import sys; from umaddpm_core.cli.main import main; sys.argv[0] = 'umaddpm'; main()"


@pytest.fixture
def start(tmp_path, tiny_model, port):
    """Starts `umaddpm serve` in an empty folder; what still runs at the end of the test is stopped."""
    paths = os.pathsep.join(filter(None, [str(repository_root()), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "UMADDPM_MODEL": str(tiny_model), "COLUMNS": "100"}
    started = []

    def run(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-c", COMMAND, "serve", "--port", str(port), *options]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, bufsize=1,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT))  # fmt: skip
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def test_serve_shows_the_sample_serves_and_stops(start, tmp_path, port):
    process = start()
    printed = []
    for line in process.stdout:
        printed.append(line)
        if "Ctrl-C" in line:
            break
    text = "".join(printed)
    sample = next(iter(sample_scans()))
    assert sample in text and "overview.png" in text and "research use only" in text
    assert re.search(r"examined in [\d.]+ s", text) and re.search(r"known tumour: Dice [01]\.\d\d", text)
    assert "quality " in text and "Serving anomaly (" in text
    results = tmp_path / "build" / "serve" / sample
    assert {"mask.nii.gz", "report.json", "overview.png"} <= {file.name for file in results.iterdir()}
    assert "anomaly" in requests.get(f"http://127.0.0.1:{port}/info/", timeout=30).json()["models"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/info/", timeout=5)


def test_serve_refuses_a_folder_that_is_not_there(start, tmp_path):
    process = start("--studies", str(tmp_path / "nowhere"))
    assert process.wait(60) == 2
    assert "nowhere" in process.stdout.read()
