"""Ids are ids: nothing outside the folders of the server is read or written."""

import io
import json
import zipfile

import pytest
import requests
from attacks import SECRET, assert_refused, detail_of, packed, raw_request

from umaddpm_core.errors import InputError
from umaddpm_core.serving.security.confinement import inside


def files_below(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


PATHS = ["/etc/hostname", "../outside", "..", ".", "a/b", "a\\b", "..\\outside", "a\0b", "x" * 300, "/", "%2e%2e/x", "a\nb"]


@pytest.mark.parametrize("value", PATHS)
@pytest.mark.parametrize("place", ["query", "params", "body"])
def test_no_name_is_a_path(guarded, value, place):
    before = files_below(guarded.home)
    for name in ("image", "tag", "label", "session_id", "session", "label_tag", "id"):
        if place == "query":
            answer = guarded.ask("POST", "/infer/anomaly", params={name: value})
        elif place == "params":
            answer = guarded.ask("POST", "/infer/anomaly", params={"image": guarded.image}, data={"params": json.dumps({name: value})})
        else:
            answer = guarded.ask("POST", "/batch/infer/anomaly", json={"images": [value], name: "x"})
        assert_refused(answer, 422)
    assert {file for file in files_below(guarded.home) - before if "audit" not in file} == set()


ROUTES_WITH_IDS = [
    ("GET", "/datastore/image", "image"), ("HEAD", "/datastore/image", "image"), ("PUT", "/datastore/image", "image"),
    ("DELETE", "/datastore/image", "id"), ("GET", "/datastore/image/info", "image"), ("PUT", "/datastore/image/info", "image"),
    ("GET", "/datastore/label", "label"), ("GET", "/datastore/label", "tag"), ("PUT", "/datastore/label", "image"),
    ("PUT", "/datastore/label", "tag"), ("DELETE", "/datastore/label", "id"), ("DELETE", "/datastore/label", "tag"),
    ("GET", "/datastore/label/info", "tag"), ("PUT", "/datastore/updatelabelinfo", "tag"), ("POST", "/infer/anomaly", "session_id"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "name"), ROUTES_WITH_IDS)
def test_every_route_that_takes_an_id_refuses_a_path(guarded, method, path, name):
    answer = guarded.ask(method, path, params={name: "../../etc/x"})
    assert answer.status_code == 422
    if method != "HEAD":
        assert_refused(answer, 422, "plain id")


def test_a_path_in_the_second_of_two_values_is_seen(server):
    assert_refused(requests.get(f"{server.url}/datastore/image?image=small-T1&image=../x", timeout=30), 422, "plain id")


@pytest.mark.parametrize("target", ["/session/..", "/session/%2e%2e", "/static/../../main.py", "/static/%2e%2e/%2e%2e/app.py", "/ohif/..",
                                    "/ohif/%2e%2e", "/session/a%00b", "/model/..", "/infer/..%5c..", "/proxy/dicom/../../admin",
                                    "//etc/passwd", "/session/" + "x" * 300])  # fmt: skip
def test_no_path_of_a_request_leads_out(server, target):
    status, _, text = raw_request(server.url, "GET", target)
    assert status in (404, 405, 422)
    assert isinstance(detail_of(text), str)


def test_a_link_out_of_the_folder_of_scans_is_not_followed(guarded):
    assert "leak" not in guarded.ask("GET", "/datastore/?output=all").text
    for method, path in (("GET", "/datastore/image?image=leak"), ("POST", "/infer/anomaly?image=leak&output=json")):
        answer = guarded.ask(method, path)
        assert answer.status_code in (404, 422)
        assert SECRET not in answer.content
    # A link that comes later, under the name of a scan that is served.
    late = guarded.studies / "late.nii.gz"
    late.write_bytes((guarded.studies / f"{guarded.image}.nii.gz").read_bytes())
    try:
        assert guarded.ask("PUT", "/datastore/image/info?image=nobody", data={"info": "{}"}).status_code == 404
        late.unlink()
        late.symlink_to(guarded.home / "outside.nii.gz")
        assert SECRET not in guarded.ask("GET", "/datastore/image?image=late").content
    finally:
        late.unlink()


def test_a_label_is_not_written_through_a_link(guarded, mask_bytes):
    away = guarded.home / "away"
    away.mkdir()
    (guarded.studies / "labels" / "linked").symlink_to(away)
    try:
        answer = guarded.ask("PUT", f"/datastore/label?image={guarded.image}&tag=linked", files={"label": ("m.nii.gz", mask_bytes)})
        assert_refused(answer, 422, "outside")
        assert list(away.iterdir()) == []
    finally:
        (guarded.studies / "labels" / "linked").unlink()


def test_inside_follows_links(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    assert inside(tmp_path / "in", tmp_path / "in" / "a") == tmp_path / "in" / "a"
    with pytest.raises(InputError, match="outside"):
        inside(tmp_path / "in", tmp_path / "in" / "link" / "a")


@pytest.mark.parametrize("name", ["../../x.nii.gz", "..", "a/../b.nii.gz", "..\\x.nii.gz", "meta.info", "x" * 300 + ".nii.gz"])
@pytest.mark.parametrize(("method", "path", "field"), [("POST", "/infer/anomaly", "file"), ("PUT", "/session/", "files"),
                                                       ("PUT", "/datastore/image", "file"), ("PUT", "/datastore/label?image=IMAGE", "label")])  # fmt: skip
def test_no_file_name_leads_out(guarded, mask_bytes, name, method, path, field):
    before = files_below(guarded.home)
    answer = guarded.ask(method, path.replace("IMAGE", guarded.image), files={field: (name, mask_bytes)})
    assert_refused(answer, 422)
    assert {file for file in files_below(guarded.home) - before if "audit" not in file} == set()


@pytest.mark.parametrize("name", ["label.zip", "label.py", "label", "label.png", "label.xml", "label.nii.gz.exe"])
def test_only_volumes_are_labels_and_images(guarded, mask_bytes, name):
    label = guarded.ask("PUT", f"/datastore/label?image={guarded.image}", files={"label": (name, mask_bytes)})
    assert_refused(label, 422, ".nii.gz")
    assert_refused(guarded.ask("PUT", "/datastore/image?image=new", files={"file": (name, mask_bytes)}), 422, ".nii.gz")


def test_a_label_has_to_be_a_volume_by_its_content(guarded):
    for content in (b"", b"PK\x03\x04", b"#!/bin/sh", b"\x80\x04."):
        for name in ("label.nii.gz", "label.nrrd", "label.mha", "label.nii"):
            answer = guarded.ask("PUT", f"/datastore/label?image={guarded.image}", files={"label": (name, content)})
            assert_refused(answer, 422, name)


def test_a_label_in_another_format_replaces_the_earlier_one(guarded, mask_bytes, tmp_path):
    import gzip

    saved = guarded.ask("PUT", f"/datastore/label?image={guarded.image}&tag=mine", files={"label": ("m.nii.gz", mask_bytes)}, role="infer")
    assert saved.status_code == 200, saved.text
    other = {"label": ("/home/somebody/m.nii", gzip.decompress(mask_bytes))}
    assert guarded.ask("PUT", f"/datastore/label?image={guarded.image}&tag=mine", files=other).status_code == 200
    assert [file.name for file in (guarded.studies / "labels" / "mine").iterdir()] == [f"{guarded.image}.nii"]


def test_an_upload_does_not_replace_a_scan(guarded, mask_bytes):
    scan = guarded.studies / f"{guarded.image}.nii.gz"
    before = scan.read_bytes()
    answer = guarded.ask("PUT", f"/datastore/image?image={guarded.image}", files={"file": ("a.nii.gz", mask_bytes)}, role="train")
    assert_refused(answer, 422, "already")
    assert scan.read_bytes() == before


def archive_of(kind: str, name: str, link: str | None = None) -> bytes:
    if kind == "tar":
        return packed(name, link)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "evil")
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "name", "link"), [
    ("zip", "../../../evil.txt", None), ("zip", "/evil.txt", None), ("tar", "../../../evil.txt", None),
    ("tar", "link", "/etc"), ("tar", "link", "../../../outside.nii.gz"),
])  # fmt: skip
def test_nothing_is_unpacked_outside_a_session(guarded, kind, name, link):
    suffix = "zip" if kind == "zip" else "tar.gz"
    answer = guarded.ask("PUT", "/session/?uncompress=true", files={"files": (f"scan.{suffix}", archive_of(kind, name, link))})
    assert answer.status_code in (200, 422), answer.text
    assert not any(file.name == "evil.txt" for file in guarded.home.rglob("*"))
    assert not any(file.is_symlink() for file in (guarded.home / "work" / "sessions").rglob("*"))


def test_files_of_a_session_have_names(guarded, mask_bytes):
    before = files_below(guarded.home / "tmp")
    answer = guarded.ask("PUT", "/session/", files=[("files", ("", mask_bytes)), ("files", ("scan.nii.gz", mask_bytes))])
    assert_refused(answer, 422, "name")
    assert files_below(guarded.home / "tmp") == before


def test_an_archive_that_is_none_is_refused_with_a_sentence(guarded):
    for name, content in (("a.nii", b"x"), ("a.zip", b"x"), ("a.tar.gz", b"x"), ("a.tar", b"x" * 600), ("a.zip", archive_of("zip", "a")[:30])):
        assert_refused(guarded.ask("PUT", "/session/?uncompress=true", files={"files": (name, content)}), 422)


@pytest.mark.parametrize("key", ["bundle_path", "script"])
def test_a_request_cannot_have_a_job_load_code(guarded, key):
    assert_refused(guarded.ask("POST", "/batch/infer/anomaly", json={key: "evil"}), 422, key)


def test_no_job_is_started_for_a_name_that_is_not_there(guarded):
    for path in ("/train/nothing", "/scoring/nothing", "/batch/infer/nothing"):
        assert_refused(guarded.ask("POST", path, json={}), 404, "nothing")


def test_the_dicom_proxy_leads_nowhere_without_an_archive(guarded):
    assert_refused(guarded.ask("GET", "/proxy/dicom/qido/studies"), 404, "DICOMweb")
    assert_refused(guarded.ask("POST", "/proxy/dicom/stow/studies", data=b"x"), 404, "DICOMweb")
