"""Two more real servers: one of ours that asks for tokens and listens everywhere, and a stock one to compare with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import SimpleITK as sitk
from attacks import ORIGIN, SECRET
from soak.place import free_port

from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import ASGI_APP, Server
from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import add_token

STOCK_APP = '''
import shutil
import tempfile
from pathlib import Path

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType


class Reads(InferTask):
    """Answers with the first bytes of what it was given as the image; its mask is the image itself."""

    def __init__(self, weights):
        super().__init__(type=InferType.OTHERS, labels={}, dimension=3, description="")
        self.weights = weights

    def is_valid(self):
        return True

    def get_path(self, validate=True):
        return self.weights

    def __call__(self, request):
        mask = tempfile.mkstemp(suffix=".nii.gz")[1]
        shutil.copy(request["image"], mask)
        return mask, {"read": Path(mask).read_bytes()[:100].decode("latin-1")}


class StockApp(MONAILabelApp):
    def __init__(self, app_dir, studies, conf):
        super().__init__(app_dir, studies, conf, name="stock")

    def init_infers(self):
        return {"reads": Reads(f"{self.app_dir}/weights.pt")}
'''


@dataclass(frozen=True)
class Guarded:
    """A server of ours with tokens: `studies` holds the scan `image`, and a link `leak` to a file outside."""

    url: str
    home: Path
    studies: Path
    image: str
    tokens: dict[str, str]
    tokens_file: Path
    audit: Path
    log: Path
    token: str
    """The one in UMADDPM_TOKEN."""

    def ask(self, method: str, path: str, role: str | None = "admin", **arguments: Any) -> requests.Response:
        headers = dict(arguments.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=120, **arguments)


@dataclass(frozen=True)
class Stock:
    """A stock MONAI Label server; its scans lie in `home / "studies"`."""

    url: str
    home: Path


class StockServer(Server):
    """Started as ours is, with the application that MONAI Label brings."""

    def _command(self) -> list[str]:
        return [word for word in super()._command() if word not in ("--uvicorn_app", ASGI_APP)]


def studies_with_a_link_out(home: Path, scan: Path) -> Path:
    studies = home / "studies"
    studies.mkdir()
    shutil.copy(scan, studies)
    (home / "outside.nii.gz").write_bytes(SECRET)
    (studies / "leak.nii.gz").symlink_to(home / "outside.nii.gz")
    return studies


@pytest.fixture(scope="session")
def guarded(tiny_model: Path, oblique_scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    home = tmp_path_factory.mktemp("guarded")
    app = shutil.copytree(app_folder(), home / "app", ignore=shutil.ignore_patterns("__pycache__", "logs", "model", "bin"))
    studies = studies_with_a_link_out(home, oblique_scan)
    file = home / "keys" / "tokens"
    tokens = {role.name: add_token(file, f"{role.name}er", role) for role in Role}
    (home / "tmp").mkdir()
    settings = {
        "UMADDPM_MODEL": str(tiny_model), "TMPDIR": str(home / "tmp"), "HOME": str(home),
        "UMADDPM_TOKENS": str(file), "UMADDPM_TOKEN": "one-token-in-the-environment", "UMADDPM_ORIGINS": f" {ORIGIN},",
        "UMADDPM_AUDIT": str(home / "audit" / "audit.jsonl"), "UMADDPM_AUDIT_SIZE": "16K", "UMADDPM_LARGEST_REQUEST": "8M",
    }  # fmt: skip
    with Server(app, studies, home / "work", host="0.0.0.0", port=free_port(), settings=settings) as running:
        image = oblique_scan.name.removesuffix(".nii.gz")
        audit = home / "audit" / "audit.jsonl"
        yield Guarded(running.url, home, studies, image, tokens, file, audit, running.log, settings["UMADDPM_TOKEN"])


@pytest.fixture(scope="session")
def stock(oblique_scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    home = tmp_path_factory.mktemp("stock")
    (home / "app").mkdir()
    (home / "app" / "main.py").write_text(STOCK_APP)
    studies = studies_with_a_link_out(home, oblique_scan)
    (home / "tmp").mkdir()
    settings = {"HOME": str(home), "TMPDIR": str(home / "tmp")}
    with StockServer(home / "app", studies, home / "work", port=free_port(), settings=settings) as running:
        yield Stock(running.url, home)


@pytest.fixture(scope="session")
def mask_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A label file as a client sends it."""
    path = tmp_path_factory.mktemp("mask") / "mask.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 8, 8), np.uint8)), str(path))
    return path.read_bytes()
