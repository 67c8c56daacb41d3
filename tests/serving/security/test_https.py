"""`umaddpm serve` for others than this computer."""

import datetime

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from program import printed_until_ready

from umaddpm_core.errors import InputError
from umaddpm_core.serving.client import Client

TOKEN = "a-token-of-the-hospital-0123456789"


def certificate(folder):
    """Key and certificate of a name that is not this computer's, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scanner.hospital.example")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("scanner.hospital.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture
def serve(start):
    """Starts `umaddpm serve` on every address with a token, and returns what it prints until it waits."""

    def run(*options: str) -> str:
        return printed_until_ready(start("--host", "0.0.0.0", "--no-demonstrate", *options, UMADDPM_TOKEN=TOKEN))

    return run


def test_serve_with_a_certificate_speaks_https_only(serve, tmp_path, port):
    key, signed = certificate(tmp_path)
    printed = serve("--ssl-keyfile", str(key), "--ssl-certfile", str(signed))
    assert f"https://127.0.0.1:{port}" in printed and "Bearer $TOKEN" in printed
    assert "unencrypted" not in printed and TOKEN not in printed
    url = f"https://127.0.0.1:{port}"
    assert "anomaly" in Client(url, TOKEN, signed).info()["models"]
    with pytest.raises(InputError, match="401"):
        Client(url, None, signed).info()
    (tmp_path / "other").mkdir()
    for trusted in (None, certificate(tmp_path / "other")[1]):
        with pytest.raises(InputError, match="does not answer"):
            Client(url, TOKEN, trusted).info()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/info/", timeout=10)


def test_serve_without_a_certificate_says_what_to_do(serve, port):
    printed = " ".join(serve().split())
    assert "unencrypted" in printed and "--ssl-certfile" in printed and f"ssh -L {port}" in printed
    assert requests.get(f"http://127.0.0.1:{port}/info/", timeout=10).status_code == 401
