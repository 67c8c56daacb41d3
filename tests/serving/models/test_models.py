"""The models of a running server: chosen by parameter, exchanged without a restart, rolled back."""

import shutil
import threading

import requests

OWN = "quick"


def test_a_broken_file_stops_no_server_and_is_reported(model_server):
    offered = model_server.offered()
    assert "broken" not in offered["models"] and "not a readable model file" in offered["models_broken"]["broken"]
    assert "not a readable model file" in model_server.refusal(model="broken")
    assert model_server.get("/anomaly/models")["broken"].keys() == {"broken"}
    assert model_server.model_of() == OWN


def test_a_new_file_is_offered_without_a_restart_and_chosen_by_parameter(model_server, small_model, uncalibrated):
    assert "second" not in model_server.offered()["models"]
    shutil.copy(small_model, model_server.folder / "second.safetensors")
    shutil.copy(uncalibrated, model_server.folder)
    offered = model_server.offered()
    assert {"uma_ddpm", OWN, "second"} <= set(offered["models"]) and "not calibrated" in offered["models_broken"]["raw"]
    assert offered["config"]["model"][0] == "default" and "second" in offered["config"]["model"]
    assert model_server.model_of(model="second") == "second" and model_server.model_of(model="default") == OWN
    (model_server.folder / "second.safetensors").unlink()
    assert "no model 'second'" in model_server.refusal(model="second")


def test_the_list_describes_every_model(model_server):
    told = model_server.get("/anomaly/models")
    models = {model["name"]: model for model in told["models"]}
    assert told["default"] == OWN and [name for name, model in models.items() if model["in_use"]] == [OWN]
    shipped = models["uma_ddpm"]
    assert shipped["modalities"] == ["T1", "T2"] and len(shipped["weights"]) == 12
    assert shipped["thresholds"]["T2"]["calibrated"]["healthy_scans_10"]["found"].startswith("at most one in ten")
    assert told["versions"]["uma_ddpm"] == {"in_use": None, "versions": [], "history": [], "candidate": None}


def test_a_version_is_published_used_and_rolled_back_while_detections_go_on(model_server, waiting, unseen):
    """As a person does after a training that was not published."""
    path = model_server.folder / "retraining" / "candidate.safetensors"
    waiting(path, passed=False)
    assert model_server.get("/anomaly/models")["versions"]["uma_ddpm"]["candidate"]["by"] == "Ada"
    refused = model_server.post("uma_ddpm/publish")
    assert refused.status_code == 422 and "may be worse" in refused.json()["detail"] and model_server.model_of() == OWN

    answers, ended = [], threading.Event()

    def keep_asking():
        while not ended.is_set():
            scan = unseen(model_server.server.scan)
            answers.append(model_server.server.ask(file=scan, output="json"))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        published = model_server.post("uma_ddpm/publish", override=True, by="Grace")
        assert published.json() == {"name": "uma_ddpm", "in_use": "uma_ddpm-v1", "default": "uma_ddpm-v1"}
        assert model_server.model_of() == "uma_ddpm-v1" == model_server.offered()["default_model"]
        assert model_server.post("uma_ddpm/publish", override=True).status_code == 404, "there is none any more"
        waiting(path, passed=True)
        assert model_server.post("uma_ddpm/publish").json()["in_use"] == "uma_ddpm-v2"
        assert model_server.offered()["default_model"] == "uma_ddpm-v2"
        assert model_server.post("uma_ddpm/rollback", by="IT").json()["in_use"] == "uma_ddpm-v1"
        assert model_server.model_of() == "uma_ddpm-v1"
        assert model_server.post("uma_ddpm/use", version="uma_ddpm-v2").json()["default"] == "uma_ddpm-v2"
        assert model_server.post("uma_ddpm/use", version=None).json()["default"] == OWN == model_server.model_of()
    finally:
        ended.set()
        asking.join()
    assert answers and all(answer.status_code == 200 for answer in answers), [answer.text for answer in answers]
    assert {answer.json()["model"] for answer in answers} <= {OWN, "uma_ddpm-v1", "uma_ddpm-v2"}

    told = model_server.get("/anomaly/models")["versions"]["uma_ddpm"]
    assert told["in_use"] is None and told["versions"] == ["uma_ddpm-v1", "uma_ddpm-v2"]
    assert [entry["action"] for entry in told["history"]] == ["published", "published", "rolled back", "put in use", "put in use"]
    assert told["history"][0]["override"] is True and told["history"][0]["by"] == "Grace" and told["history"][2]["by"] == "IT"


def test_a_version_that_is_broken_is_not_put_in_use(model_server):
    (model_server.folder / "uma_ddpm-v9.safetensors").write_bytes(b"junk")
    refused = model_server.post("uma_ddpm/use", version="uma_ddpm-v9")
    assert refused.status_code == 422 and "not a readable model file" in refused.json()["detail"]
    assert model_server.model_of() == OWN


def test_what_there_is_not_is_said_in_one_sentence(model_server):
    unknown = model_server.post("nobody/use", version=None)
    assert unknown.status_code == 404 and "nobody" in unknown.json()["detail"]
    missing = model_server.post("uma_ddpm/use", version="uma_ddpm-v77")
    assert missing.status_code == 422 and "no version 'uma_ddpm-v77'" in missing.json()["detail"]
    incomplete = requests.post(f"{model_server.server.url}/anomaly/models/uma_ddpm/use", json={}, timeout=60)
    assert incomplete.status_code == 422 and "version" in incomplete.json()["detail"]
