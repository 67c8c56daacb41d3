"""The DICOMweb proxy: what viewers ask the archive through the server, and where that ends."""

import io
import socket
import threading
import time

import orthanc as archives
import pytest
import requests
import SimpleITK as sitk
from attacks import detail_of, raw_request
from dicom_writer import study

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.archive import Archive

LONGEST_ANSWER_S = 5


def own(orthanc, path, **query):
    return requests.get(f"{orthanc.url}/{path}", params=query, auth=(archives.USER, archives.PASSWORD), timeout=60)


def test_questions_are_handed_on_with_their_filters(archive_server, orthanc, stored):
    query = {"SeriesInstanceUID": stored["upright"]}
    for operation in ("", "qido/"):
        answer = requests.get(f"{archive_server.url}/proxy/dicom/{operation}series", params=query, timeout=60)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/dicom+json"
        (found,) = answer.json()
        assert found["0020000E"]["Value"] == [stored["upright"]] and answer.json() == own(orthanc, "series", **query).json()
    path = f"studies/{found['0020000D']['Value'][0]}/series/{stored['upright']}/metadata"
    for operation in ("wado", "qido"):
        answer = requests.get(f"{archive_server.url}/proxy/dicom/{operation}/{path}", timeout=60)
        assert answer.json() == own(orthanc, path).json() and len(answer.json()) > 1
    assert requests.get(f"{archive_server.url}/proxy/dicom/studies/1.2.3/metadata", timeout=60).status_code == 404


@pytest.mark.parametrize("path", [
    "%252e%252e/patients", "studies/%252e%252e/%252e%252e/patients", "qido/%252e%252e/system", "studies/..%3b/x", "studies/1%3Fx", "studies/1%23",
    "patients", "qido/patients", "wado", "studiesx", "studies//1", "%2e%2e/patients",
])  # fmt: skip
def test_no_path_leads_elsewhere_in_the_archive(archive_server, orthanc, path):
    before = orthanc.log()
    status, _, text = raw_request(archive_server.url, "GET", f"/proxy/dicom/{path}")
    assert status == 422 and detail_of(text).endswith(".")
    assert "/patients" not in orthanc.log()[len(before) :] and "/system" not in orthanc.log()[len(before) :]


def test_an_answer_has_an_end(orthanc, stored):
    archive = Archive(orthanc.url, (archives.USER, archives.PASSWORD))
    with pytest.raises(InputError, match="too large"):
        archive.ask("GET", "series", io.BytesIO(), limit=10)
    with pytest.raises(InputError, match="refuses the user name and password"):
        Archive(orthanc.url, (archives.USER, "wrong")).ask("GET", "series", io.BytesIO())


def test_an_archive_that_never_answers_stops_nobody_else(serve_on):
    with socket.create_server(("127.0.0.1", 0)) as hung:
        # Who asked through this would not reach the archive.
        nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "NO_PROXY": ""}
        with serve_on(f"http://127.0.0.1:{hung.getsockname()[1]}/dicom-web", **nowhere) as server:
            with requests.Session() as session:
                session.trust_env = False
                asking = threading.Thread(target=lambda: requests.get(f"{server.url}/proxy/dicom/studies", timeout=120), daemon=True)
                asking.start()
                asked, _ = hung.accept()
                assert b"GET /dicom-web/studies" in asked.recv(1000)
                started = time.monotonic()
                assert session.get(f"{server.url}/health", timeout=60).status_code == 200
                assert session.get(f"{server.url}/info/", timeout=60).status_code == 200
                assert time.monotonic() - started < LONGEST_ANSWER_S and asking.is_alive()
                asked.close()
                asking.join(60)
                assert not asking.is_alive()


def test_a_viewer_may_store_where_its_role_allows(archive_server, orthanc, small_scan):
    (*_, last) = study(sitk.ReadImage(str(small_scan)))
    file = io.BytesIO()
    last.save_as(file, write_like_original=False)
    body = b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + file.getvalue() + b"\r\n--edge--\r\n"
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=edge', "Accept": "application/dicom+json"}
    answer = requests.post(f"{archive_server.url}/proxy/dicom/stow/studies", data=body, headers=kind, timeout=60)
    assert answer.status_code == 200, answer.text
    assert [one.SOPInstanceUID for one in orthanc.files(last.SeriesInstanceUID)] == [last.SOPInstanceUID]
