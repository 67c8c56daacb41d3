"""`umaddpm download` as a user meets it, from a server on loopback."""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Address of a server with one archive that stands in for IXI-T1.tar, and the archive's SHA-256."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "mirror"
    folder.mkdir()
    content = gzip.compress(b"a scan")
    with tarfile.open(folder / "IXI-T1.tar", "w") as archive:
        member = tarfile.TarInfo("IXI002-Guys-0828-T1.nii.gz")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/", hashlib.sha256((folder / "IXI-T1.tar").read_bytes()).hexdigest()
        running.shutdown()


def download(*arguments, answer=""):
    program = [sys.executable, "-m", "umaddpm_core.cli", "download", "ixi", *map(str, arguments)]
    return subprocess.run(program, input=answer, capture_output=True, text=True, timeout=120)


def test_says_size_and_licence_asks_and_names_the_next_command(mirror, tmp_path):
    url, sha256 = mirror
    arguments = ("-o", tmp_path / "ixi", "--base-url", url, "--sha256", f"T1={sha256}")
    refused = download(*arguments, answer="n\n")
    assert refused.returncode == 1 and "0.00 GB" in refused.stdout and "CC BY-SA 3.0" in refused.stdout
    assert not (tmp_path / "ixi").exists()
    agreed = download(*arguments, answer="y\n")
    assert agreed.returncode == 0, agreed.stderr
    assert (tmp_path / "ixi" / "IXI-T1" / "IXI002-Guys-0828-T1.nii.gz").exists()
    assert f"Next: umaddpm preprocess {tmp_path / 'ixi'} -o cache --modality T1" in agreed.stdout
    again = download(*arguments)
    assert again.returncode == 0 and "there already" in again.stdout and "Fetch this" not in again.stdout


def test_wrong_requests_get_one_sentence_and_status_2(mirror, tmp_path):
    url, _ = mirror
    requests = {
        ("--modality", "PD"): "archives are T1 and T2",
        ("--modality", "T2", "--base-url", url): "the server answers 404",
        ("--sha256", "abc"): "is no checksum",
        ("--base-url", "ftp://example.org"): "is no http or https address",
        ("--base-url", url, "--yes"): "is not the archive it should be",
    }
    for request, sentence in requests.items():
        result = download("-o", tmp_path / "ixi", *request)
        assert result.returncode == 2 and sentence in result.stderr and "Traceback" not in result.stderr, result.stderr
