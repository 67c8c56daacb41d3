"""A whole training by HTTP, on one scan under several names: it works, its numbers mean nothing."""

import json
import time

import pytest
import requests

from umaddpm_core.artefact import Artefact

EPOCHS = 60
SETTINGS = {"max_epochs": EPOCHS, "steps_per_epoch": 2, "batch": 4, "workers": 0, "modalities": ["T1"], "by": "IT"}
"""There are no healthy scans in T2, so the new model will not know it."""


class Trainer:
    """Talks to the train routes of a server."""

    def __init__(self, server):
        self.url, self.folder = server.url, server.scan.parents[1] / "app" / "model"

    def start(self, model="uma_ddpm", query="", **params):
        return requests.post(f"{self.url}/train/{model}{query}", json=params, timeout=60)

    def status(self):
        return requests.get(f"{self.url}/train/", timeout=60).json()

    def stop(self):
        return requests.delete(f"{self.url}/train/", timeout=60).json()

    def stats(self):
        response = requests.get(f"{self.url}/info/", timeout=60)
        assert response.status_code == 200
        return response.json()["train_stats"]["uma_ddpm"]

    def until(self, reached, seconds=500):
        """The statistics once they are as wanted; the training must not have ended before."""
        deadline = time.monotonic() + seconds
        while not reached(stats := self.stats()):
            assert self.status()["status"] in ("SUBMITTED", "RUNNING"), (self.status(), stats)
            assert time.monotonic() < deadline, stats
            time.sleep(0.1)
        return stats

    def ended(self, seconds=500):
        deadline = time.monotonic() + seconds
        while (status := self.status())["status"] in ("SUBMITTED", "RUNNING"):
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
        return status


@pytest.fixture(scope="module")
def model(quick_model, tiny_model):
    config = {**Artefact.load(tiny_model).config, "network": {"base": 8, "multipliers": [1, 1], "blocks": 1, "stem": 8}}
    return quick_model("uma_ddpm", ["T1", "T2"], **config)


@pytest.fixture(scope="module")
def server(serve, people, model, tmp_path_factory):
    """With seven healthy people in its datastore, and the scan of a patient."""
    home = tmp_path_factory.mktemp("training")
    (home / "studies").mkdir()
    cohort = people(home / "studies")
    with serve(home, UMADDPM_MODEL=str(model)) as running:
        for image, info in cohort.items():
            told = {"data": {"info": json.dumps(info)}, "params": {"image": image}}
            assert requests.put(f"{running.url}/datastore/image/info", **told, timeout=60).status_code == 200
        yield running
    # A training runs, and the server has ended in order all the same.
    assert "Finished server process" in running.log.read_text()


@pytest.fixture(scope="module")
def trainer(server):
    return Trainer(server)


def test_before_the_first_training_the_stock_client_finds_what_it_reads(trainer):
    stats = trainer.stats()
    assert stats["epoch"] == 0 and stats["total_epochs"] == 1 and stats["best_metric"] == 0 and "total_time" not in stats
    assert stats["in_use"] is None and stats["versions"] == []
    described = requests.get(f"{trainer.url}/info/", timeout=60).json()["trainers"]["uma_ddpm"]
    assert described["config"]["start"] == ["in_use", "scratch"] and "Research use only" in described["description"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ({"model": "nobody"}, 404, "'nobody' under trainers"),
        ({"max_epochs": 0}, 422, "cannot begin: max_epochs"),
        ({"gpus": "all of them"}, 422, "cannot begin: gpus"),
        ({"colour": "red"}, 422, "cannot begin: colour"),
        ({"query": "?run_sync=true"}, 422, "run_sync"),
    ],
)
def test_what_cannot_begin_is_said_at_once(trainer, arguments, status, words):
    refused = trainer.start(**arguments)
    assert refused.status_code == status and words in refused.json()["detail"]
    assert requests.get(f"{trainer.url}/train/", timeout=60).status_code == 404, "nothing was started"


def test_the_server_goes_on_while_it_trains_and_a_stop_leaves_nothing_half_written(trainer, server, unseen):
    assert trainer.start(**SETTINGS).status_code == 200
    assert trainer.start(**SETTINGS).status_code == 429
    stats = trainer.until(lambda stats: stats["epoch"] >= 2)
    assert stats["total_epochs"] == EPOCHS and "total_time" not in stats and stats["by"] == "IT"
    assert any(f"epoch 2 of {EPOCHS}: loss" in line for line in trainer.status()["details"])
    assert server.ask(file=unseen(server.scan), output="json").json()["model"] == "quick"
    assert trainer.status()["status"] == "RUNNING"
    assert trainer.stop()["status"] == "STOPPED"
    assert 2 <= trainer.stats()["epoch"] < EPOCHS and list(trainer.folder.glob("*.safetensors")) == []
    assert server.ask(file=unseen(server.scan), output="json").json()["model"] == "quick"


def test_asked_for_again_it_goes_on_and_is_not_published_where_it_may_be_worse(trainer):
    stopped = trainer.stats()
    assert trainer.start(**SETTINGS).status_code == 200
    stats = trainer.until(lambda stats: stats["started"] != stopped["started"] and stats["epoch"] > 0)
    assert stats["epoch"] > 2, "it began anew"
    assert trainer.ended()["status"] == "DONE", trainer.status()
    stats = trainer.stats()
    figures = {one["figure"]: one for one in stats["judgement"]["comparisons"]["T1"]}
    assert set(figures) == {"dice", "average_precision", "findings"} and stats["judgement"]["passed"] is False
    assert "T2: the model in use knows this sequence" in stats["reasons"][0] and stats["published"] is None
    assert stats["epoch"] == stats["total_epochs"] == EPOCHS and stats["total_time"] > 0 and stats["ended"]
    assert stats["best_metric"] == pytest.approx(figures["dice"]["candidate"])
    assert stats["candidate"]["reasons"] == stats["reasons"] and stats["in_use"] is None
    assert not list((trainer.folder / "retraining").glob("run-*")), "what is judged needs no checkpoint any more"


def test_it_can_be_published_all_the_same_which_is_recorded(trainer, server, model):
    publish = f"{trainer.url}/anomaly/models/uma_ddpm/publish"
    assert requests.post(publish, timeout=60).status_code == 422
    assert requests.post(publish, json={"override": True, "by": "Grace"}, timeout=60).status_code == 200
    assert server.ask(image=server.image, output="json").json()["model"] == "uma_ddpm-v1"
    stats = trainer.stats()
    assert stats["in_use"] == "uma_ddpm-v1" and stats["candidate"] is None
    assert stats["history"][-1]["override"] is True and stats["history"][-1]["by"] == "Grace"
    published, before = (Artefact.load(path) for path in (trainer.folder / "uma_ddpm-v1.safetensors", model))
    assert published.calibration["T1"]["score"] == before.calibration["T1"]["score"]
    assert published.provenance["started_from"] == before.provenance and published.preprocessing == before.preprocessing


def test_a_training_that_cannot_be_done_ends_with_one_sentence(trainer):
    assert trainer.start(modalities=["T2"], max_epochs=1).status_code == 200
    status = trainer.ended()
    assert status["status"] == "ERROR"
    assert "The training part has 0 healthy people in T2" in trainer.stats()["error"]
    assert not any("Traceback" in line for line in status["details"])


def test_a_training_that_runs_does_not_keep_the_server_from_ending(trainer):
    """Which the fixture of the server looks at."""
    assert trainer.start(**SETTINGS).status_code == 200
    while trainer.status()["status"] == "SUBMITTED":
        time.sleep(0.1)
    assert trainer.status()["status"] == "RUNNING"
