"""A server of its own, whose models the tests change, and what changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.serving.models.candidate import Candidate


@dataclass(frozen=True)
class ModelServer:
    """The server, the folder of its models, and the scan in its datastore."""

    server: Any
    folder: Path

    def get(self, path: str) -> Any:
        response = requests.get(f"{self.server.url}{path}", timeout=120)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.server.url}/anomaly/models/{path}", json=body, timeout=120)

    def offered(self) -> dict[str, Any]:
        """What `/info/` says of the models."""
        return self.get("/info/")["models"]["anomaly"]

    def model_of(self, **params: Any) -> str:
        """The model that answers a request."""
        response = self.server.ask(image=self.server.image, output="json", params=params)
        assert response.status_code == 200, response.text
        return response.json()["model"]

    def refusal(self, **params: Any) -> str:
        response = self.server.ask(image=self.server.image, output="json", params=params)
        assert response.status_code == 422, response.text
        return response.json()["detail"]


@pytest.fixture(scope="session")
def small_model(quick_model) -> Path:
    """In the file `quick.safetensors`."""
    return quick_model("vae", ["T1"], base=4, latent=8)


@pytest.fixture(scope="module")
def model_server(serve, small_model, tmp_path_factory) -> Iterator[ModelServer]:
    """Started with a broken file in its folder."""
    home = tmp_path_factory.mktemp("models")
    folder = home / "app" / "model"
    folder.mkdir(parents=True)
    (folder / "broken.safetensors").write_bytes(b"no model")
    with serve(home, UMADDPM_MODEL=str(small_model)) as server:
        yield ModelServer(server, folder)


@pytest.fixture(scope="session")
def waiting(small_model):
    """Puts the small model where a trained one waits, with a judgement on it."""

    def put(path: Path, *, passed: bool, name: str = "uma_ddpm") -> Candidate:
        candidate = Candidate(path)
        reasons = [] if passed else ["T1: dice may be worse than now by 0.300 (0.100 against 0.400); 0.02 is allowed."]
        candidate.keep(Artefact.load(small_model), name, judgement={"passed": passed}, reasons=reasons, by="Ada")
        return candidate

    return put


@pytest.fixture(scope="session")
def uncalibrated(small_model, tmp_path_factory) -> Path:
    artefact = Artefact.load(small_model)
    artefact.calibration = {}
    return artefact.save(tmp_path_factory.mktemp("raw") / "raw.safetensors", torch.float16)
