"""Every bad request ends in a 4xx with one sentence, and leaves nothing behind."""

import pytest
import requests

REFUSED = {
    "unknown image": (404, {"image": "no_such_scan"}, "no_such_scan"),
    "unknown session": (404, {"session_id": "0f5c1a52"}, "session"),
    "expired session beside an image": (404, {"session_id": "0f5c1a52", "image": "IMAGE"}, "session"),
    "no scan at all": (422, {}, "names no scan"),
    "absolute path as image": (422, {"image": "/etc/hostname"}, "plain id"),
    "climbing path as image": (422, {"image": "../case"}, "plain id"),
    "climbing session id": (422, {"session_id": ".."}, "plain id"),
    "params not JSON": (422, {"image": "IMAGE", "params": "{threshold:"}, "not JSON"),
    "params not an object": (422, {"image": "IMAGE", "params": "[1, 2]"}, "JSON object"),
    "params with a number too long": (422, {"image": "IMAGE", "params": '{"threshold": ' + "9" * 5000 + "}"}, "params"),
    "unknown model": (422, {"image": "IMAGE", "params": {"model": "no_such_model"}}, "no_such_model"),
    "path as model": (422, {"image": "IMAGE", "params": {"model": "/etc/hostname"}}, "path"),
    "path as image in params": (422, {"image": "IMAGE", "params": {"image": "/etc/hostname"}}, "plain id"),
    "climbing tag in params": (422, {"image": "IMAGE", "params": {"label_tag": "../../x"}}, "plain id"),
    "climbing path under another name": (422, {"image": "IMAGE", "params": {"weights": "a/../../b"}}, "path"),
    "unknown threshold": (422, {"image": "IMAGE", "params": {"threshold": "no_such_name"}}, "no_such_name"),
    "threshold of the wrong kind": (422, {"image": "IMAGE", "params": {"threshold": [1]}}, "threshold"),
    "threshold not finite": (422, {"image": "IMAGE", "params": '{"threshold": Infinity}'}, "finite"),
    "unknown modality": (422, {"image": "IMAGE", "params": {"modality": "no_such_modality"}}, "no_such_modality"),
    "unknown score": (422, {"image": "IMAGE", "params": {"score": "no_such_score"}}, "no_such_score"),
    "unknown extension": (422, {"image": "IMAGE", "params": {"result_extension": ".exe"}}, ".exe"),
    "unknown output": (422, {"image": "IMAGE", "output": "no_such_output"}, "output"),
    "DICOM SEG": (422, {"image": "IMAGE", "output": "dicom_seg"}, "DICOM SEG"),
}


def assert_is_one_sentence(response: requests.Response, status: int, about: str) -> None:
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert isinstance(detail, str) and "\n" not in detail and detail.endswith((".", "?"))
    assert about in detail


@pytest.mark.parametrize("case", REFUSED)
def test_bad_request_is_refused_with_a_sentence(server, case):
    status, request, about = REFUSED[case]
    request = {key: server.image if value == "IMAGE" else value for key, value in request.items()}
    before = server.temporary_files()
    assert_is_one_sentence(server.ask(**request), status, about)
    assert server.left_only(before)


BAD_FILES = {
    "empty.nii.gz": lambda scan: b"",
    "text.nii.gz": lambda scan: b"this is no image",
    "truncated.nii.gz": lambda scan: scan[: len(scan) // 2],
    "detached.nrrd": lambda scan: b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\ndata file: /etc/hostname\n\n",
    "page.html": lambda scan: b"<html></html>",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_upload_is_refused_with_its_name(server, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BAD_FILES[name](server.scan.read_bytes()))
    before = server.temporary_files()
    response = server.ask(file=path, output="json")
    assert_is_one_sentence(response, 422, name)
    assert str(server.scratch) not in response.text
    assert server.left_only(before)


def test_upload_whose_name_is_a_path_stays_in_its_folder(server, tmp_path):
    files = {"file": ("../../evil/../../text.nii.gz", b"this is no image")}
    response = requests.post(f"{server.url}/infer/anomaly", files=files, timeout=60)
    assert_is_one_sentence(response, 422, "text.nii.gz")


def test_unknown_inferer_is_refused(server):
    response = requests.post(f"{server.url}/infer/no_such_inferer", params={"image": server.image}, timeout=60)
    assert_is_one_sentence(response, 404, "no_such_inferer")


def test_pathology_routes_are_gone(server):
    response = requests.post(f"{server.url}/infer/wsi/anomaly", params={"image": server.image}, timeout=60)
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("PUT", "/datastore/label", {"image": "IMAGE", "tag": "../../../outside"}),
        ("PUT", "/datastore/image", {"image": "../outside"}),
        ("DELETE", "/datastore/image", {"id": "../outside"}),
    ],
)
def test_ids_cannot_leave_the_datastore(server, method, path, query):
    query = {key: server.image if value == "IMAGE" else value for key, value in query.items()}
    field = "label" if path.endswith("label") else "file"
    around = server.scan.parents[2]
    before = sorted(around.rglob("*outside*"))
    response = requests.request(
        method, f"{server.url}{path}", params=query, files={field: ("outside.nii.gz", b"x")}, timeout=60
    )
    assert_is_one_sentence(response, 422, "plain id")
    assert sorted(around.rglob("*outside*")) == before


def test_label_for_an_unknown_image_is_refused(server):
    query = {"image": "no_such_scan", "tag": "final"}
    files = {"label": ("mask.nii.gz", server.scan.read_bytes())}
    response = requests.put(f"{server.url}/datastore/label", params=query, files=files, timeout=60)
    assert response.status_code == 404 and "no_such_scan" in response.json()["detail"]


def test_web_pages_of_other_sites_are_refused(server):
    foreign = requests.get(f"{server.url}/info/", headers={"Origin": "http://evil.example"}, timeout=60)
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers
    own = requests.get(f"{server.url}/info/", headers={"Origin": server.url}, timeout=60)
    assert own.status_code == 200
    assert "access-control-allow-origin" not in own.headers
