"""A server of ours that was started past `umaddpm serve`: on every address, without tokens, with weight uploads."""

import io
import shutil
import socket

import pytest
import requests
from attacks import assert_refused
from starlette.datastructures import UploadFile

from umaddpm_core.errors import InputError
from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import Server
from umaddpm_core.serving.security.refusal import Refused
from umaddpm_core.serving.security.settings import SecuritySettings
from umaddpm_core.serving.security.uploads import require_acceptable


@pytest.fixture(scope="module")
def running(tiny_model, oblique_scan, tmp_path_factory):
    home = tmp_path_factory.mktemp("open")
    app = shutil.copytree(app_folder(), home / "app", ignore=shutil.ignore_patterns("__pycache__", "logs", "model", "bin"))
    (home / "studies").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"UMADDPM_MODEL": str(tiny_model), "HOME": str(home), "UMADDPM_TOKENS": "", "UMADDPM_TOKEN": "",
                "UMADDPM_ALLOW_MODEL_UPLOAD": "1", "UMADDPM_HOSTS": "Scanner.example", "UMADDPM_AUDIT": "off"}  # fmt: skip
    with Server(app, home / "studies", home / "work", host="0.0.0.0", port=port, settings=settings) as server:
        yield server


def address_of_this_computer() -> str:
    """One at which others reach it; no packet is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this computer has no address but loopback")
        return probe.getsockname()[0]


def test_other_computers_are_refused_where_there_are_no_tokens(running):
    assert requests.get(f"{running.url}/info/", timeout=30).status_code == 200
    elsewhere = f"http://{address_of_this_computer()}:{running.port}"
    for method, path in (("GET", "/info/"), ("POST", "/reload"), ("POST", "/infer/anomaly"), ("GET", "/health")):
        assert_refused(requests.request(method, f"{elsewhere}{path}", timeout=30), 403, "no tokens")


def test_a_listed_name_is_answered(running):
    assert requests.get(f"{running.url}/info/", headers={"Host": "scanner.example"}, timeout=30).status_code == 200
    assert requests.get(f"{running.url}/info/", headers={"Host": "other.example"}, timeout=30).status_code == 421


def test_weights_are_never_a_pickle(running):
    for name in ("model.pt", "model.safetensors"):
        answer = requests.put(f"{running.url}/model/anomaly", files={"file": (name, b"\x80\x04.")}, timeout=30)
        assert answer.status_code in (404, 422) and answer.json()["detail"]


def test_weights_have_to_be_a_model_file_of_ours(tiny_model):
    def upload(name: str, content: bytes) -> UploadFile:
        return UploadFile(io.BytesIO(content), size=len(content), filename=name)

    for name, content in (("model.pt", b"x"), ("model.safetensors", b"\x80\x04."), ("model.safetensors", tiny_model.read_bytes()[:5000])):
        with pytest.raises(Refused, match="model"):
            require_acceptable(upload(name, content), "/model/{model}", {})
    require_acceptable(upload("model.safetensors", tiny_model.read_bytes()), "/model/{model}", {})


def test_a_log_that_is_off_is_not_written(running):
    assert not list(running.log.parent.parent.rglob("audit*"))


@pytest.mark.parametrize(("variable", "value"), [
    ("UMADDPM_ORIGINS", "*"), ("UMADDPM_ORIGINS", "https://a.example/"), ("UMADDPM_ORIGINS", "a.example"),
    ("UMADDPM_LARGEST_REQUEST", "much"), ("UMADDPM_LARGEST_REQUEST", "0"),
    ("MONAI_LABEL_AUTH_ENABLE", "true"), ("MONAI_LABEL_CORS_ORIGINS", '["http://a.example"]'),
])  # fmt: skip
def test_settings_that_mean_nothing_are_refused_by_name(variable, value):
    with pytest.raises(InputError, match=variable):
        SecuritySettings.from_environment({variable: value})


def test_sizes_are_written_as_people_write_them():
    for text, size in (("500M", 500 << 20), ("2 GiB", 2 << 30), ("10kB", 10 << 10), ("77", 77)):
        assert SecuritySettings.from_environment({"UMADDPM_LARGEST_REQUEST": text}).largest_body == size
