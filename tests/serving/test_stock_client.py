"""The client that MONAI Label brings, against our server: what it can ask for, and what it is answered."""

import json
import shutil
import time
from pathlib import Path

import pytest
import requests
import SimpleITK as sitk
from masks import assert_is_mask_of
from monailabel.client.client import MONAILabelClient, MONAILabelClientException


@pytest.fixture
def client(server, tmp_path) -> MONAILabelClient:
    return MONAILabelClient(server.url, tmpdir=str(tmp_path), client_id="ada")


def as_the_plugin_asks(client: MONAILabelClient) -> dict:
    """Its own keys, and the first of every list in the model's `config`."""
    config = client.info()["models"]["anomaly"]["config"]
    return {**{name: choices[0] for name, choices in config.items()}, "result_extension": ".nrrd", "result_dtype": "uint8", "device": "cpu"}


def test_info(client):
    info = client.info()
    assert info["models"]["anomaly"]["type"] == "segmentation" and info["models"]["anomaly"]["labels"] == {"anomaly": 1}
    assert {"highest_score", "first"} <= info["strategies"].keys() and "agreement" in info["scoring"]
    assert not client.auth_enabled()


def test_infer_by_id_by_session_and_with_a_file(client, server):
    params = as_the_plugin_asks(client)
    mask, result = client.infer("anomaly", server.image, dict(params))
    assert result["label_names"] == {"anomaly": 1}
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)
    mask, _ = client.infer("anomaly", "", dict(params), file=str(server.scan))
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)


def test_sessions(client, server):
    session = client.create_session(str(server.scan))["session_id"]
    assert client.get_session(session)["name"] == session
    mask, _ = client.infer("anomaly", "", {"result_extension": ".nrrd"}, session_id=session)
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)
    client.remove_session(session)
    with pytest.raises(MONAILabelClientException) as gone:
        client.get_session(session)
    assert gone.value.status_code == 404


def test_a_label_is_saved_listed_and_fetched(client, server):
    mask, result = client.infer("anomaly", server.image, {"result_extension": ".nii.gz"})
    saved = client.save_label(server.image, mask, "by-stock-client", {"label_info": [{"name": "anomaly", "idx": 1}], "report": result["model"]})
    try:
        assert saved["label"] == server.image
        assert "by-stock-client" in client.datastore()["objects"][server.image]["labels"]
        fetched = client.download_label(server.image, "by-stock-client")
        assert Path(fetched).read_bytes() == Path(mask).read_bytes()
    finally:
        server.forget(server.image, "by-stock-client")


def test_the_next_sample(client, server):
    for strategy in ("first", "highest_score", "random"):
        sample = client.next_sample(strategy, {})
        assert sample["id"] == server.image
    with pytest.raises(MONAILabelClientException) as unknown:
        client.next_sample("no_such_strategy", {})
    assert unknown.value.status_code in (404, 422) and isinstance(json.loads(unknown.value.response)["detail"], str)


@pytest.fixture
def people(client, server):
    """Seven healthy people in the datastore, uploaded by the client; they are gone after the test."""
    folder = Path(client._tmpdir)
    parts = {f"P{number}-T1": part for number, part in enumerate(["training"] * 4 + ["validation", "test", "test"])}
    for name, part in parts.items():
        scan = shutil.copy(server.scan, folder / f"{name}.nii.gz")
        assert client.upload_image(str(scan), name)["image"] == name
        info = {"cohort": "healthy", "subject": name, "part": part}
        told = requests.put(f"{server.url}/datastore/image/info", params={"image": name}, data={"info": json.dumps(info)}, timeout=60)
        assert told.status_code == 200, told.text
    yield
    for name in parts:
        requests.delete(f"{server.url}/datastore/image", params={"id": name}, timeout=60)


def test_a_training_is_started_watched_and_stopped(client, people):
    params = {"max_epochs": 1000, "steps_per_epoch": 2, "batch": 4, "workers": 0, "modalities": ["T1"]}
    assert client.train_start("uma_ddpm", params)["status"] in ("SUBMITTED", "RUNNING")
    try:
        while not client.train_status(check_if_running=True):
            time.sleep(0.1)
        while client.info()["train_stats"]["uma_ddpm"]["epoch"] < 1:
            assert client.train_status()["status"] in ("SUBMITTED", "RUNNING"), client.train_status()
            time.sleep(0.2)
        assert any(" of 1000: loss" in line for line in client.train_status()["details"])
    finally:
        stopped = client.train_stop()
    assert stopped["status"] == "STOPPED" and client.train_status()["status"] == "STOPPED"
    assert not client.train_status(check_if_running=True)
