"""What a real server lets go of in time, and what it never deletes."""

import json
import os
import time

import requests

from umaddpm_core.serving.jobs.settings import JobSettings
from umaddpm_core.serving.retention.settings import HOURS_VARIABLE

SECONDS = 12


def until(reached):
    deadline = time.monotonic() + 300
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_everything_but_the_datastore_goes_in_time_and_a_stray_session_stops_no_start(serve, tmp_path):
    home = tmp_path / "home"
    sessions = home / "work" / "sessions"
    stray = sessions / "0f5c1a52-0000-11ef-8000-000000000000"
    stray.mkdir(parents=True)
    (stray / "meta.info").write_text("{")
    killed = home / "tmp" / "umaddpm-server-0123456789abcdef"
    killed.mkdir(parents=True)
    killed.with_name(f"{killed.name}.lock").touch()
    (killed / "tmpabc.nii.gz").write_bytes(b"voxels")
    with serve(home, **{HOURS_VARIABLE: str(SECONDS / 3600)}) as server:
        assert not killed.exists() and "no session that can be read" in server.log.read_text()
        with server.scan.open("rb") as scan:
            session = requests.put(f"{server.url}/session/", files={"files": (server.scan.name, scan)}, timeout=60).json()["session_id"]
        requests.post(f"{server.url}/batch/infer/anomaly?run_sync=true", json={}, timeout=300).raise_for_status()
        job = requests.post(f"{server.url}/anomaly/jobs?image={server.image}", timeout=60).json()["id"]
        until(lambda: requests.get(f"{server.url}/anomaly/jobs/{job}", timeout=60).status_code == 404)
        until(lambda: requests.get(f"{server.url}/session/{session}", timeout=60).status_code == 404)
        until(lambda: requests.get(f"{server.url}/batch/infer", timeout=60).status_code == 404)
        until(lambda: not list(sessions.iterdir()))
        until(lambda: not [path for path in (home / "work" / "jobs").iterdir() if path.name != ".lock"])
        # The detection in memory has expired as well: it takes a run of its own again.
        time.sleep(SECONDS * 1.5)
        job = requests.post(f"{server.url}/anomaly/jobs?image={server.image}", timeout=60).json()["id"]
        states = [{}]
        until(lambda: states.append(requests.get(f"{server.url}/anomaly/jobs/{job}", timeout=60).json()) or states[-1].get("state") == "done")
        assert states[-1]["from_memory"] is False
        kept = json.loads((home / "studies" / "datastore_v2.json").read_text())["objects"][server.image]
        assert server.scan.exists() and list(kept["labels"]) == ["original"]
        assert (home / "studies" / "labels" / "original" / server.scan.name).exists()
    assert [path.name for path in (home / "tmp").iterdir() if path.suffix != ".json"] == []


def test_the_limit_of_jobs_is_no_longer_than_that_of_everything(monkeypatch, tmp_path):
    for hours, expected in (("", 24), ("5", 5), ("100", 24)):
        monkeypatch.setitem(os.environ, HOURS_VARIABLE, hours)
        assert JobSettings.from_environment(tmp_path).hours == expected
