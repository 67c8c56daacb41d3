"""Starting the server: what goes wrong is said in one sentence."""

import shutil
import socket

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.client import Client
from umaddpm_core.serving.launch import Server


def test_taken_port_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = Server(tmp_path, tmp_path, tmp_path / "work", port=port)
        with pytest.raises(InputError, match=f"Port {port} is taken"), server:
            pass


def test_foreign_address_is_named(tmp_path):
    server = Server(tmp_path, tmp_path, tmp_path / "work", host="no.such.host.invalid")
    with pytest.raises(InputError, match="no.such.host.invalid"), server:
        pass


@pytest.mark.parametrize("form", ["text", "json"])
def test_model_that_cannot_be_read_keeps_the_server_from_starting(tmp_path, port, form):
    model = tmp_path / "broken.safetensors"
    model.write_bytes(b"this is no model")
    app = shutil.copytree(app_folder(), tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "logs", "model"))
    (tmp_path / "studies").mkdir()
    settings = {"UMADDPM_MODEL": str(model), "UMADDPM_LOGS": form}
    server = Server(app, tmp_path / "studies", tmp_path / "work", port=port, settings=settings)
    with pytest.raises(InputError, match="The server did not start: .*broken.safetensors"), server:
        pass


def test_what_is_sent_goes_to_the_server_and_to_no_proxy(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Client(server.url).is_ready()
    assert "anomaly" in Client(server.url).info()["models"]


def test_the_address_for_a_client_is_one_of_this_computer(tmp_path):
    urls = {host: Server(tmp_path, tmp_path, tmp_path, host=host, port=80).url for host in ("0.0.0.0", "::", "127.0.0.1", "::1")}
    assert urls == {"0.0.0.0": "http://127.0.0.1:80", "::": "http://[::1]:80", "127.0.0.1": "http://127.0.0.1:80", "::1": "http://[::1]:80"}
