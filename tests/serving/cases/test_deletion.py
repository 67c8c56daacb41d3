"""One call deletes everything about a case, on a real server."""

import json

import pytest
import torch
from keyed_server import another

from umaddpm_core.data.cache import CachedScan, write_index, write_settings, write_volume
from umaddpm_core.serving.durable_datastore import DurableDatastore

CASE = "Doe-Jane-1970-T1"


def holding(folder, *traces):
    """Files below a folder with one of the traces in their name or content."""
    return [
        file for file in folder.rglob("*")
        if file.is_file() and any(trace in str(file.relative_to(folder)).encode() or trace in file.read_bytes() for trace in traces)
    ]  # fmt: skip


def everywhere(keyed, scan, mask):
    """Bring the case to every place there is; returns a job that still runs."""
    with scan.open("rb") as file:
        keyed.ask("tom", "PUT", f"/datastore/image?image={CASE}", files={"file": (scan.name, file)}).raise_for_status()
    keyed.until("tom", "/datastore/?output=all", lambda answer: CASE in answer["objects"])
    keyed.ask("tom", "PUT", f"/datastore/image/info?image={CASE}", data={"info": json.dumps({"cohort": "healthy"})}).raise_for_status()
    retraining = keyed.home / "app" / "model" / "retraining"
    cache = retraining / "cache-0"
    cache.mkdir(parents=True)
    people = [CachedScan(f"{subject}-T1", subject, "T1", "training") for subject in (CASE.replace("-", "_"), "other")]
    for person in people:
        write_volume(cache, person.name, torch.rand(1, 8, 8, 8))
    write_settings(cache, "datastore", {}, {})
    write_index(cache, people)
    (retraining / "people.json").write_text(json.dumps({CASE.replace("-", "_"): "training", "other": "test"}))
    (retraining / "statistics.json").write_text(json.dumps({"epoch": 1, "left_out": {CASE: "Its sequence is not known."}}))
    keyed.ask("tom", "POST", "/batch/infer/anomaly?run_sync=true", json={"images": [CASE]}).raise_for_status()
    with mask.open("rb") as file:
        review = json.dumps({"review": {"verdict": "accepted", "reviewer": "Ada"}})
        keyed.ask("ada", "PUT", f"/datastore/label?image={CASE}", data={"params": review}, files={"label": (mask.name, file)}).raise_for_status()
    with scan.open("rb") as file:
        keyed.ask("ben", "PUT", "/session/", files={"files": ("renamed.nii.gz", file)}).raise_for_status()
    for job in (keyed.job("ada", image=CASE), keyed.job("ben", scan)):
        assert keyed.ended("eve", job)["state"] == "done"
    return keyed.ask("ada", "POST", f"/anomaly/jobs?image={CASE}", data={"params": '{"score": "dark"}'}).json()["id"]


def test_everything_about_a_case_is_deleted_and_nothing_of_others(keyed, oblique_scan, tmp_path, unwritable):
    scan = another(oblique_scan, tmp_path / f"{CASE}.nii.gz", 7, level=9)
    # From the midst of the compressed voxels, which no other file has compressed so.
    content = scan.read_bytes()[scan.stat().st_size // 2 :][:64]
    mask = another(oblique_scan, tmp_path / "mask.nii.gz", 8)
    running = everywhere(keyed, scan, mask)
    traces = (CASE.encode(), CASE.replace("-", "_").encode(), content)
    assert holding(keyed.home / "app" / "logs", CASE.encode()) and holding(keyed.home / "work", content)

    unwritable(keyed.home / "app" / "logs" / "held.log")
    assert keyed.ask("tom", "DELETE", f"/anomaly/cases/{CASE}").status_code == 403
    answer = keyed.ask("eve", "DELETE", f"/anomaly/cases/{CASE}")
    assert answer.status_code == 200, answer.text
    deleted = answer.json()["deleted"]
    assert answer.json()["left"] == {"logs": ["held.log"]}
    assert deleted["image"] == [f"{CASE}.nii.gz"] and deleted["labels"] == ["final", "original"]
    assert running in deleted["jobs"] and len(deleted["jobs"]) == 3 and len(deleted["sessions"]) == 1
    assert set(deleted) == {"image", "labels", "jobs", "running", "sessions", "detections", "batch", "retraining", "logs"}
    assert holding(keyed.home, *traces) == []
    (entry,) = keyed.recorded("DELETE /anomaly/cases/{case_id}", status=200)
    assert entry["who"] == "eve" and entry["image"] in {one.get("image") for one in keyed.recorded("POST /anomaly/jobs")}

    again = keyed.ask("eve", "DELETE", f"/anomaly/cases/{CASE}")
    assert again.status_code == 404 and again.json()["detail"].endswith(".")
    assert holding(keyed.home, *traces) == []
    assert keyed.ask("eve", "GET", "/datastore/?output=all").json()["objects"].keys() >= {"first-T1", "small-T1"}
    assert [path.name for path in (keyed.home / "app" / "model" / "retraining" / "cache-0" / "volumes").iterdir()] == ["other-T1.npz"]

    # Nobody remembers the detection either.
    anew = keyed.ended("ada", keyed.job("ada", scan))
    assert anew["state"] == "done" and not anew["from_memory"]
    assert keyed.ask("eve", "DELETE", f"/anomaly/cases/{CASE}").json()["deleted"]["jobs"] == [anew["id"]]
    assert holding(keyed.home, *traces) == []


@pytest.mark.parametrize("step", range(5))
def test_a_deletion_that_is_broken_off_can_be_finished(tmp_path, oblique_scan, monkeypatch, step):
    studies = tmp_path / "studies"
    studies.mkdir()
    for number, name in enumerate((CASE, "other")):
        another(oblique_scan, studies / f"{name}.nii.gz", number)
    datastore = DurableDatastore(str(studies), extensions=["*.nii.gz"])
    for tag in ("original", "final"):
        for name in (CASE, "other"):
            datastore.save_label(name, str(oblique_scan), tag, {})
    (studies / "datastore_v2.unreadable.json").write_text(f'{{"objects": {{"{CASE}"')
    steps = iter(range(100))
    real = type(studies).unlink

    def unlink(path, **options):
        if not path.name.endswith(".lock") and not path.name.startswith(".") and next(steps) == step:
            raise KeyboardInterrupt
        real(path, **options)

    with monkeypatch.context() as killing:
        killing.setattr(type(studies), "unlink", unlink)
        if step < 4:
            with pytest.raises(KeyboardInterrupt):
                datastore.remove_case(CASE)
        else:
            datastore.remove_case(CASE)
    restarted = DurableDatastore(str(studies), extensions=["*.nii.gz"])
    assert (CASE in restarted.known_cases()) is (step < 4)
    restarted.remove_case(CASE)
    assert holding(studies, CASE.encode()) == []
    assert restarted.get_labels_by_image_id("other").keys() == {"original", "final"}
