"""The client of the extension with real servers: ours, ours behind https with a token, and the app in a stock MONAI Label."""

import datetime
import ipaddress
import json
import shutil

import nibabel
import numpy as np
import pytest
from AnomalyDetectionLib.client import (
    BrokenOff,
    CertificateRefused,
    Client,
    NotAllowed,
    NotFound,
    NotOurServer,
    Refused,
    Review,
    WrongToken,
)
from AnomalyDetectionLib.jobs import Jobs, Order, State
from AnomalyDetectionLib.worker import Worker
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from running_server import free_port

import umaddpm_core
from umaddpm_core.detection.detection import VOLUMES
from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import ASGI_APP, Server
from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import add_token


def voxels(path):
    return np.asarray(nibabel.load(path).dataobj)


def test_status_says_what_the_server_is(client, server):
    status = client.status()
    assert status.url == server.url and status.version == umaddpm_core.__version__ and status.device in ("cpu", "cuda")
    assert status.has_jobs and status.ready and status.waiting == 0
    assert status.default_model == "tiny" and "tiny" in status.models
    assert status.modalities == ("T1",) and "synthetic_dice" in status.thresholds
    assert "highest_score" in status.strategies


def test_results_are_fetched_as_the_server_made_them(client, server, unseen_scan, tmp_path):
    shares = []
    job = client.submit(unseen_scan(), {"threshold": 0.02, "score": None}, file_name="any T1.nii.gz", sent=shares.append)
    assert shares[-1] == 1 and job.state in ("queued", "running")
    while not (job := client.job(job.id)).ended:
        pass
    received = []
    results = client.fetch(job, tmp_path / "result", received=received.append)
    assert set(results.files) == {*VOLUMES, "report", "overview"}
    assert received == sorted(received) and received[-1] == pytest.approx(1)
    assert results.report["threshold"]["value"] == 0.02
    mask, score_map = (voxels(results.files[name]) for name in ("mask", "anomaly_map"))
    assert mask.any() and (score_map[mask > 0] > 0.02).all()
    np.testing.assert_allclose(nibabel.load(results.files["mask"]).affine, nibabel.load(server.scan).affine, atol=1e-4)
    assert client.cancel_job(job.id) is None
    with pytest.raises(NotFound):
        client.job(job.id)


def test_server_refuses_in_its_own_words(client, server, tmp_path):
    with pytest.raises(NotFound, match="no_such_scan"):
        client.submit("no_such_scan")
    text = tmp_path / "text.nii.gz"
    text.write_text("no image")
    with pytest.raises(Refused, match="text.nii.gz"):
        client.submit(text)
    with pytest.raises(Refused, match="threshold"):
        client.submit(server.image, {"threshold": [1]})


def test_review_goes_back_with_its_verdict_and_the_next_case_comes(client, server, tmp_path):
    case = client.next_case("first")
    assert case.image == server.image
    scan = client.fetch_image(case.image, tmp_path)
    np.testing.assert_array_equal(voxels(scan), voxels(server.scan))
    mask = tmp_path / "mask.nii.gz"
    affine = nibabel.load(scan).affine
    nibabel.save(nibabel.Nifti1Image((voxels(scan) > 1e6).astype(np.uint8), affine), mask)
    label = client.save_label(case.image, mask, Review("rejected", "Ada", "no lesion", "tiny", 0.02), tag="of_the_client")
    kept = client._transport.json("GET", "/datastore/label/info", {"label": label, "tag": "of_the_client"})["review"]
    assert (kept["verdict"], kept["reviewer"], kept["comment"], kept["model"]) == ("rejected", "Ada", "no lesion", "tiny")
    with pytest.raises(Refused, match="verdict"):
        client.save_label(case.image, mask, Review("perhaps", "Ada"))
    client._transport.json("DELETE", "/datastore/label", {"id": label, "tag": "of_the_client"})
    with pytest.raises(Refused, match="no_such_strategy"):
        client.next_case("no_such_strategy")


def test_scan_can_be_added_and_called_healthy(client, server):
    image = client.add_image(server.scan, "healthy one", {"by": "Ada"})
    client.set_image_info(image, {"cohort": "healthy"})
    info = client.image_info(image)
    assert info["cohort"] == "healthy" and info["by"] == "Ada"
    client._transport.json("DELETE", "/datastore/image", {"id": image})


def certificate(folder):
    """Key and certificate of this computer, signed by itself."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "this computer")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture
def server_of(tiny_model, oblique_scan, tmp_path):
    """A server in a folder of its own, with these settings; which may be stock MONAI Label with our app."""

    def make(kind=Server, **options):
        home = tmp_path / "home"
        ignored = shutil.ignore_patterns("__pycache__", "logs", "model", "bin")
        shutil.copytree(app_folder(), home / "app", ignore=ignored, dirs_exist_ok=True)
        (home / "studies").mkdir(exist_ok=True)
        shutil.copy(oblique_scan, home / "studies")
        settings = {"UMADDPM_MODEL": str(tiny_model), "HOME": str(home), **options.pop("settings", {})}
        return kind(home / "app", home / "studies", home / "work", port=free_port(), settings=settings, **options)

    return make


def test_certificate_and_token_are_what_lets_the_client_in(server_of, tmp_path):
    key, signed = certificate(tmp_path / "tls")
    other = certificate(tmp_path / "other")[1]
    tokens = {role: add_token(tmp_path / "tokens", role.name, role) for role in (Role.read, Role.infer)}
    with server_of(ssl_keyfile=key, ssl_certfile=signed, settings={"UMADDPM_TOKENS": str(tmp_path / "tokens")}) as running:
        assert Client(running.url, tokens[Role.read], signed).status().has_jobs
        for untrusted in (None, other):
            with pytest.raises(CertificateRefused, match="nothing was sent"):
                Client(running.url, tokens[Role.read], untrusted).status()
        for wrong, about in ((None, "asks for a token"), ("wrong", "does not know the token")):
            with pytest.raises(WrongToken, match=about):
                Client(running.url, wrong, signed).status()
        with pytest.raises(NotAllowed, match="role infer"):
            Client(running.url, tokens[Role.read], signed).submit("any")
        with pytest.raises(NotFound):
            Client(running.url, tokens[Role.infer], signed).submit("any")
        with pytest.raises((BrokenOff, NotOurServer)):
            Client(running.url.replace("https", "http"), tokens[Role.read]).status()
        log = running.log.read_text()
        assert not any(token in log for token in tokens.values())


class StockServer(Server):
    """Our app, started by MONAI Label alone."""

    def _command(self):
        return [word for word in super()._command() if word not in ("--uvicorn_app", ASGI_APP)]


def test_stock_server_with_our_app_is_asked_in_one_request(server_of, oblique_scan, tmp_path):
    with server_of(StockServer) as running:
        client = Client(running.url)
        status = client.status()
        assert status.ready and not status.has_jobs
        worker, seen = Worker(), []
        Jobs(worker).submit(Order(client, oblique_scan, tmp_path / "result", status.has_jobs, {"threshold": 0.02}), seen.append)
        while not seen or not seen[-1].state.final:
            worker.poll()
        worker.close()
    assert seen[-1].state == State.DONE, seen[-1]
    states = [progress.state for progress in seen]
    assert states.index(State.UPLOADING) < states.index(State.RUNNING) < states.index(State.DONE)
    results = seen[-1].results
    assert voxels(results.files["mask"]).any() and results.report["threshold"]["value"] == 0.02
    assert json.loads(results.files["report"].read_text()) == results.report
    assert {path.name for path in (tmp_path / "result").iterdir()} == {path.name for path in results.files.values()}
