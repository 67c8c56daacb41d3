"""The client that MONAI Label brings, against our server: what it can ask for, and what it is answered."""

import json
from pathlib import Path

import pytest
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
