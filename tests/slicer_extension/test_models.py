"""Models and trainings of the real server, through the extension's client."""

import pytest
from AnomalyDetectionLib.client import Client, NotFound, Refused

from umaddpm_core.artefact import Artefact
from umaddpm_core.serving.models.candidate import Candidate


@pytest.fixture(scope="module")
def model(quick_model):
    return quick_model("vae", ["T1"], base=4, latent=8)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Of a server whose folder of models holds a broken file."""
    home = tmp_path_factory.mktemp("models")
    (home / "app" / "model").mkdir(parents=True)
    (home / "app" / "model" / "broken.safetensors").write_bytes(b"no model")
    return home


@pytest.fixture(scope="module")
def client(serve, model, home):
    with serve(home, UMADDPM_MODEL=str(model)) as server:
        yield Client(server.url)


def test_models_are_listed_with_what_their_thresholds_cost(client, model):
    listed = client.models()
    assert listed.default == model.stem and listed.models[model.stem]["modalities"] == ["T1"]
    assert listed.models[model.stem]["thresholds"] and "broken" in listed.broken
    assert listed.versions["uma_ddpm"].in_use is None and listed.versions["uma_ddpm"].candidate is None


def test_a_trained_model_is_published_by_override_and_rolled_back(client, model, home):
    waiting = Candidate(home / "app" / "model" / "retraining" / "candidate.safetensors")
    waiting.keep(Artefact.load(model), "uma_ddpm", judgement={"passed": False}, reasons=["T1: dice may be worse."], by="Ada")
    assert client.models().versions["uma_ddpm"].candidate["reasons"] == ["T1: dice may be worse."]
    with pytest.raises(Refused, match="override"):
        client.publish("uma_ddpm", by="Ada")
    assert client.publish("uma_ddpm", by="Ada", override=True) == "uma_ddpm-v1"
    listed = client.models()
    assert listed.default == "uma_ddpm-v1" and listed.versions["uma_ddpm"].versions == ("uma_ddpm-v1",)
    assert listed.versions["uma_ddpm"].history[-1]["by"] == "Ada" and listed.versions["uma_ddpm"].candidate is None
    assert client.roll_back("uma_ddpm", by="Bob") is None
    assert client.use_version("uma_ddpm", "uma_ddpm-v1") == "uma_ddpm-v1"
    assert [entry["action"] for entry in client.models().versions["uma_ddpm"].history] == ["published", "rolled back", "put in use"]


def test_a_training_that_cannot_be_says_why(client):
    assert client.training().state == "" and not client.training().is_running
    client.stop_training()
    with pytest.raises(NotFound):
        client.start_training("no_such_trainer")
    with pytest.raises(Refused, match="max_epochs"):
        client.start_training("uma_ddpm", {"max_epochs": 0})
    client.start_training("uma_ddpm", {"max_epochs": 1})
    while (state := client.training()).is_running:
        pass
    assert state.state == "ERROR" and "cohort" in state.figures["error"]
