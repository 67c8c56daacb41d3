"""A training that is killed: alone, as where memory runs out, or together with its server, as in a power cut."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import requests
from soak.place import Place, kill
from soak.scans import unseen_copy

from umaddpm_core.serving.launch import Server

PARTS = ("training",) * 4 + ("validation", "test", "test")
"""Of the people that the server learns from: as few as it accepts."""
SETTINGS = {"steps_per_epoch": 2, "batch": 4, "workers": 0, "modalities": ["T1"], "publish": "always"}
EPOCHS = 10
UNFINISHED = ("SUBMITTED", "RUNNING")
SECONDS = 1800


@dataclass
class Kill:
    """One end of a training: whose, during which phase, and what was amiss afterwards."""

    of: str
    phase: str
    problems: list[str] = field(default_factory=list)


class Trainer:
    """Talks to the train routes of the server at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call_healthy(self, images: dict[str, str]) -> None:
        """Put images into the cohort, each into a part of the split."""
        for image, part in images.items():
            told = {"data": {"info": json.dumps({"cohort": "healthy", "subject": image, "part": part})}, "params": {"image": image}}
            assert requests.put(f"{self.url}/datastore/image/info", **told, timeout=60).status_code == 200

    def start(self, epochs: int = EPOCHS) -> None:
        answer = requests.post(f"{self.url}/train/uma_ddpm", json={**SETTINGS, "max_epochs": epochs}, timeout=60)
        assert answer.status_code == 200, answer.text

    def stats(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/info/", timeout=60).json()["train_stats"]["uma_ddpm"]

    def ended(self) -> str:
        """How the training ended, once it has."""
        deadline = time.monotonic() + SECONDS
        while (status := requests.get(f"{self.url}/train/", timeout=60).json()["status"]) in UNFINISHED:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return status

    def models(self) -> dict[str, Any]:
        """All models, and the history of the one that is trained."""
        return requests.get(f"{self.url}/anomaly/models", timeout=60).json()

    def infer(self, image: str) -> str:
        """The model that answers."""
        answer = requests.post(f"{self.url}/infer/anomaly", params={"image": image, "output": "json"}, timeout=600)
        assert answer.status_code == 200, answer.text
        return answer.json()["model"]


class Published:
    """What the servers of one place have told of versions so far, and whether the one that runs now keeps it."""

    def __init__(self, image: str) -> None:
        self._image = image
        self.history: list[dict[str, Any]] = []

    def amiss(self, trainer: Trainer) -> list[str]:
        """What is not as was told, or cannot be used."""
        models = trainer.models()
        found = [f"{name} cannot be used: {reason}" for name, reason in models["broken"].items()]
        history = models["versions"]["uma_ddpm"]["history"]
        if history[: len(self.history)] != self.history:
            found.append("versions that were told are not in the history")
        self.history = history
        in_use = history[-1]["version"] if history else models["default"]
        if (model := trainer.infer(self._image)) != in_use:
            found.append(f"{model} answers where {in_use} is in use")
        return found


def kill_trainer(place: Place, times: int, moments: random.Random) -> list[Kill]:
    """Kill trainings so often, in turn the training alone and the server with it; then let one come to its end."""
    people = {unseen_copy(place.scan, place.studies).name.removesuffix(".nii.gz"): part for part in PARTS}
    kills: list[Kill] = []
    published, whole = Published(place.image), 0.0
    while len(kills) < times:
        with place.server() as server:
            trainer = Trainer(server.url)
            if kills:
                kills[-1].problems += published.amiss(trainer)
            else:
                trainer.call_healthy(people)
                whole = _seconds_of_a_training(trainer)
            kills.append(_killed_while_training(trainer, moments.uniform(0, whole), "training", lambda: _kill_children(server)))
            if trainer.ended() not in ("ERROR", "DONE"):
                kills[-1].problems.append("a killed training is not told to have failed")
            kills[-1].problems += published.amiss(trainer)
            if len(kills) < times:
                kills.append(_killed_while_training(trainer, moments.uniform(0, whole), "server and training", lambda: _kill_all(server)))
    with place.server() as server:
        trainer, before = Trainer(server.url), len(published.history)
        kills[-1].problems += published.amiss(trainer)
        trainer.start()
        if trainer.ended() != "DONE" or published.amiss(trainer) or len(published.history) <= before:
            kills[-1].problems.append("the training that was let come to its end has published nothing")
    return kills


def _killed_while_training(trainer: Trainer, seconds: float, of: str, end: Callable[[], None]) -> Kill:
    trainer.start()
    time.sleep(seconds)
    stats = trainer.stats()
    end()
    return Kill(of, "starting, or ended" if stats["ended"] else stats["phase"].split(":")[0])


def _seconds_of_a_training(trainer: Trainer) -> float:
    """Of one whose scans are prepared already, as those of all later ones are."""
    for epochs in (1, EPOCHS):
        started = time.monotonic()
        trainer.start(epochs)
        assert trainer.ended() == "DONE", trainer.stats()
    return time.monotonic() - started


def _kill_children(server: Server) -> None:
    for child in psutil.Process(server.pid).children(recursive=True):
        child.kill()


def _kill_all(server: Server) -> None:
    children = psutil.Process(server.pid).children(recursive=True)
    kill(server)
    for child in children:
        child.kill()
