"""Jobs on disk: what is kept, and for how long."""

import json

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.jobs.job import Job, State
from umaddpm_core.serving.jobs.settings import JobSettings
from umaddpm_core.serving.jobs.store import JobStore


@pytest.fixture
def opened(tmp_path):
    """Opens the folder as a server does that starts."""
    stores = []

    def open_store(hours=24, megabytes=100):
        for store in stores:
            store.close()
        stores.append(JobStore(tmp_path / "jobs", hours=hours, megabytes=megabytes))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def ended(store, ended_at, state=State.DONE, size=1000):
    job = Job(scan="scan.nii.gz", parameters={})
    store.add(job)
    store.unfinished(job).mkdir()
    (store.unfinished(job) / "report.json").write_bytes(b" " * size)
    store.publish(job)
    job.end(state)
    job.ended += ended_at
    store.save(job)
    return job.id


def ids(store):
    return {job.id for job in store.all()}


def test_jobs_are_there_again_after_a_restart(opened):
    store = opened()
    done = ended(store, 0)
    before = store.get(done)
    assert opened().get(done) == before


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_job_of_a_server_that_was_killed_is_interrupted(opened, tmp_path, state):
    store = opened()
    job = Job(scan="scan.nii.gz", parameters={}, state=state)
    store.add(job)
    (store.scan_folder(job) / "scan.nii.gz").write_bytes(b"voxels")
    store.unfinished(job).mkdir()
    again = opened().get(job.id)
    assert again.state == State.INTERRUPTED and again.error and again.ended
    assert [path.name for path in (tmp_path / "jobs" / job.id).iterdir()] == ["job.json"]
    assert json.loads((tmp_path / "jobs" / job.id / "job.json").read_text())["state"] == "interrupted"


def test_old_jobs_expire_and_others_do_not(opened, tmp_path):
    store = opened(hours=1)
    old, new = ended(store, -3601), ended(store, -3000)
    waiting = Job(scan="scan.nii.gz", parameters={}, created=0)
    store.add(waiting)
    store.sweep()
    assert ids(store) == {new, waiting.id}
    assert not (tmp_path / "jobs" / old).exists()


def test_oldest_ended_go_first_where_all_are_too_large(opened):
    store = opened(megabytes=2.5e-3)
    jobs = [ended(store, second) for second in (2, 0, 1, 3)]
    store.sweep()
    assert ids(store) == {jobs[0], jobs[3]}


def test_newest_stays_even_where_it_alone_is_too_large(opened):
    store = opened(megabytes=1e-3)
    ended(store, 0)
    newest = ended(store, 1, size=5000)
    store.sweep()
    assert ids(store) == {newest}


def test_folder_in_use_is_named(opened, tmp_path):
    opened()
    with pytest.raises(InputError, match="Another server"):
        JobStore(tmp_path / "jobs", hours=1, megabytes=1)


def test_what_cannot_be_read_keeps_no_server_from_starting(opened, tmp_path):
    good = ended(opened(), 0)
    broken = tmp_path / "jobs" / ("0" * 32)
    broken.mkdir()
    (broken / "job.json").write_text("{")
    (tmp_path / "jobs" / "notes.txt").write_text("not ours")
    assert ids(opened()) == {good}
    assert not broken.exists() and (tmp_path / "jobs" / "notes.txt").is_file()


@pytest.mark.parametrize(("variable", "text"), [("UMADDPM_WORKERS", "0"), ("UMADDPM_QUEUE", "many"), ("UMADDPM_JOBS_HOURS", "-1")])
def test_wrong_setting_is_named(monkeypatch, tmp_path, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(InputError, match=variable):
        JobSettings.from_environment(tmp_path)


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    for name, value in {"WORKERS": "3", "QUEUE": "7", "JOBS": str(tmp_path), "JOBS_HOURS": "0.5", "JOBS_MB": "10"}.items():
        monkeypatch.setenv(f"UMADDPM_{name}", value)
    assert JobSettings.from_environment(tmp_path / "default") == JobSettings(3, 7, tmp_path, 0.5, 10)
