"""`umaddpm serve` as a person starts it."""

import re
import signal

import pytest
import requests
from program import printed_until_ready

from umaddpm_core.serving.checkout import sample_scans


def test_serve_shows_the_sample_serves_and_stops(start, tmp_path, port):
    process = start()
    text = printed_until_ready(process)
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
