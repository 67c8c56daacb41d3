"""`umaddpm serve --studies http://…` as a person starts it."""

import re
import signal
import socket

import orthanc as archives
import pytest
from program import printed_until_ready


def test_serve_lists_the_series_of_an_archive(start, orthanc, stored, tmp_path):
    credentials = {"MONAI_LABEL_DICOMWEB_USERNAME": archives.USER, "MONAI_LABEL_DICOMWEB_PASSWORD": archives.PASSWORD}
    process = start("--studies", orthanc.url, **credentials)
    text = printed_until_ready(process)
    assert "examined in" in text, "the demonstration works beside an archive too"
    assert int(re.search(r"scans in the datastore: (\d+)", text)[1]) >= 3
    assert not list((tmp_path / "build" / "serve" / "archive").glob("*/series/*"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    for file in (tmp_path / "build").rglob("*"):
        assert not file.is_file() or archives.PASSWORD.encode() not in file.read_bytes()


def test_serve_starts_beside_an_archive_that_is_down_and_says_so(start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{probe.getsockname()[1]}/dicom-web"
        text = printed_until_ready(start("--studies", gone, "--no-demonstrate"))
    assert "does not answer" in text


@pytest.mark.parametrize("address", ["http://user:secret@host/dicom-web", "http:///dicom-web"])
def test_serve_refuses_an_address_that_cannot_be_served(start, address):
    process = start("--studies", address)
    assert process.wait(60) == 2
    assert "secret" not in process.stdout.read()
