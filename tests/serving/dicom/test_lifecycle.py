"""Batch inference over an archive, and the deletion of what is kept here of a series."""

import requests


def test_a_batch_examines_series_and_their_case_can_be_deleted_here_and_not_in_the_archive(archive_server, stored):
    uid = stored["upright"]
    route = f"{archive_server.url}/batch/infer/anomaly?run_sync=true"
    refused = requests.post(route, json={"images": [stored["ct"]]}, timeout=300)
    assert refused.status_code == 404 and stored["ct"] in refused.json()["detail"]
    batch = requests.post(route, json={"images": [uid], "device": "cuda"}, timeout=600).json()
    assert batch["status"] == "DONE" and batch["done"] == 1 and batch["failures"] == {}
    kept = requests.get(f"{archive_server.url}/datastore/?output=all", timeout=60).json()["objects"][uid]
    assert kept["labels"]["original"]["info"]["params"]["model"] and uid in archive_server.fetched
    assert requests.post(route, json={"images": [uid]}, timeout=600).json()["skipped"] == 1

    case = f"{archive_server.url}/anomaly/cases/{uid}"
    deleted = requests.delete(case, timeout=120).json()["deleted"]
    assert deleted["archive_cache"] == [uid] and "original" in deleted["labels"] and {"batch", "detections"} <= deleted.keys()
    assert uid not in archive_server.fetched
    folders = (archive_server.home / "work", archive_server.home / "app" / "logs", archive_server.scratch)
    assert [file for folder in folders for file in folder.rglob("*") if file.is_file() and uid.encode() in file.read_bytes()] == []
    assert requests.delete(case, timeout=120).status_code == 404
    listed = requests.get(f"{archive_server.url}/datastore/?output=all", timeout=60).json()["objects"]
    assert listed[uid]["labels"] == {}
