"""The server on a DICOM archive: lists, examines by UID, and answers in DICOM."""

from __future__ import annotations

import io
import json
import shutil
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import highdicom
import numpy as np
import orthanc as archives
import pydicom
import pytest
import requests
import SimpleITK as sitk
from dicom_writer import assert_same_place, assert_same_scan, save, study

LOW = {"threshold": 0.02}
"""The tiny model exceeds it somewhere."""
UNREACHED = {"threshold": 1000.0}


def read_image(content: bytes, path: Path) -> sitk.Image:
    path.write_bytes(content)
    return sitk.ReadImage(str(path))


def read_seg(content: bytes, path: Path) -> highdicom.seg.Segmentation:
    path.write_bytes(content)
    assert pydicom.dcmread(path).SOPClassUID == pydicom.uid.SegmentationStorage
    return highdicom.seg.segread(path)


def assert_seg_is(seg: highdicom.seg.Segmentation, mask: sitk.Image, source: list[pydicom.Dataset]) -> None:
    """On every source slice, found by where it lies, the SEG has what the mask has there."""
    assert sitk.GetArrayViewFromImage(mask).any()
    for header in source:
        index = mask.TransformPhysicalPointToIndex([float(value) for value in header.ImagePositionPatient])
        found = seg.get_pixels_by_source_instance([header.SOPInstanceUID], assert_missing_frames_are_empty=True)
        np.testing.assert_array_equal(found[0, ..., 0], sitk.GetArrayViewFromImage(mask)[index[2]])


def assert_is_one_sentence(response: requests.Response, status: int, about: str) -> None:
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert about in detail and "\n" not in detail and detail.endswith((".", "?"))
    assert "/" not in detail and "127.0.0.1" not in detail


@contextmanager
def stopped(archive: archives.Orthanc):
    archive.stop()
    try:
        yield
    finally:
        archive.start()


def test_nothing_is_fetched_or_downloaded_by_listing(archive_server, stored):
    listed = requests.get(f"{archive_server.url}/datastore/", params={"output": "all"}, timeout=60).json()["objects"]
    assert {stored[name] for name in ("upright", "oblique", "reversed")} <= set(listed)
    assert stored["ct"] not in listed, "only MR is listed"
    assert listed[stored["upright"]]["image"]["info"]["SeriesDescription"] == "Phantom"
    assert not {"Müller", "4711"} & set(json.dumps(listed, ensure_ascii=False).replace("^", '"').split('"'))
    assert archive_server.fetched == set()
    assert list((archive_server.home / "app" / "bin").iterdir()) == []


def test_next_sample_is_a_series_of_the_archive(archive_server, orthanc, stored):
    answer = requests.post(f"{archive_server.url}/activelearning/random", timeout=60).json()
    assert answer["id"] in {one["0020000E"]["Value"][0] for one in orthanc.search(Modality="MR")} - {stored["ct"]}


@pytest.mark.parametrize("name", ["upright", "oblique", "reversed"])
def test_seg_of_a_series_matches_its_mask_voxel_for_voxel(archive_server, orthanc, stored, tmp_path, name):
    answer = archive_server.ask(stored[name], result_extension=".dcm", **LOW)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom"
    seg = read_seg(answer.content, tmp_path / "seg.dcm")
    mask = archive_server.ask(stored[name], result_extension=".nrrd", **LOW)
    assert_seg_is(seg, read_image(mask.content, tmp_path / "mask.nrrd"), orthanc.files(stored[name]))
    same = archive_server.ask(stored[name], output="dicom_seg", **LOW)
    assert pydicom.dcmread(io.BytesIO(same.content)).SOPInstanceUID == seg.SOPInstanceUID, "as stock clients ask for it"
    assert str(seg.PatientName) == "Müller^Jörg"
    assert "research use only" in seg.SeriesDescription


def test_archive_holds_seg_and_map_of_a_dicom_scan(archive_server, stored, tmp_path):
    answer = archive_server.ask(stored["oblique"], result_extension=".zip", **LOW)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert {"mask.dcm", "anomaly_map.dcm", "mask.nii.gz", "anomaly_map.nii.gz"} <= set(files.namelist())
        seg = read_seg(files.read("mask.dcm"), tmp_path / "seg.dcm")
        written = pydicom.dcmread(io.BytesIO(files.read("anomaly_map.dcm")))
        score = read_image(files.read("anomaly_map.nii.gz"), tmp_path / "map.nii.gz")
        account = json.loads(files.read("report.json"))["dicom"]
    assert account == {
        "segmentation": seg.SOPInstanceUID, "parametric_map": written.SOPInstanceUID, "written_back": False,
    }  # fmt: skip
    frames = np.frombuffer(written.FloatPixelData, np.float32).reshape(-1, written.Rows, written.Columns)
    for frame, group in zip(frames, written.PerFrameFunctionalGroupsSequence):
        position = [float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient]
        index = score.TransformPhysicalPointToIndex(position)
        np.testing.assert_array_equal(frame, sitk.GetArrayViewFromImage(score)[index[2]])


def test_uploaded_series_gets_a_seg_too(archive_server, oblique_scan, tmp_path):
    datasets = study(sitk.ReadImage(str(oblique_scan)))
    upload = Path(shutil.make_archive(str(tmp_path / "scan"), "zip", save(datasets, tmp_path / "scan")))
    with upload.open("rb") as stream:
        answer = requests.post(
            f"{archive_server.url}/infer/anomaly", params={"output": "image"}, files={"file": (upload.name, stream)},
            data={"params": json.dumps({**LOW, "result_extension": ".dcm"})}, timeout=600,
        )  # fmt: skip
    seg = read_seg(answer.content, tmp_path / "seg.dcm")
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == datasets[0].SeriesInstanceUID


def test_a_job_examines_a_series_too(archive_server, stored, tmp_path):
    where = {"image": stored["reversed"]}
    asked = requests.post(f"{archive_server.url}/anomaly/jobs", params=where, data={"params": json.dumps(LOW)}, timeout=60)
    url = f"{archive_server.url}/anomaly/jobs/{asked.json()['id']}"
    deadline = time.monotonic() + 300
    while (state := requests.get(url, timeout=60).json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, state
        time.sleep(0.2)
    assert state["state"] == "done", state
    mask = read_image(requests.get(f"{url}/mask", timeout=60).content, tmp_path / "job.nii.gz")
    same = read_image(archive_server.ask(stored["reversed"], result_extension=".nii.gz", **LOW).content, tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(mask), sitk.GetArrayViewFromImage(same))


def test_results_are_written_back_when_asked_for_and_once(archive_server, orthanc, stored, tmp_path):
    known = {one["0020000E"]["Value"][0] for one in orthanc.search()}
    archive_server.ask(stored["oblique"], result_extension=".dcm", **LOW)
    assert {one["0020000E"]["Value"][0] for one in orthanc.search()} == known, "off by default"
    for _ in range(2):
        report = archive_server.ask(stored["oblique"], output="json", write_back=True, **LOW).json()
        assert report["dicom"]["written_back"] is True
    found = [one["0020000E"]["Value"][0] for one in orthanc.search(Modality="SEG")]
    (seg_uid,) = set(found) - known
    (seg,) = orthanc.files(seg_uid)
    assert seg.SOPInstanceUID == report["dicom"]["segmentation"]
    assert seg.StudyInstanceUID == orthanc.files(stored["oblique"])[0].StudyInstanceUID
    (map_uid,) = {one["0020000E"]["Value"][0] for one in orthanc.search()} - known - {seg_uid}
    assert [one.SOPInstanceUID for one in orthanc.files(map_uid)] == [report["dicom"]["parametric_map"]]
    mask = read_image(archive_server.ask(stored["oblique"], **LOW).content, tmp_path / "mask.nii.gz")
    path = tmp_path / "seg.dcm"
    seg.save_as(path, write_like_original=False)
    assert_seg_is(highdicom.seg.segread(path), mask, orthanc.files(stored["oblique"]))


@pytest.mark.parametrize("output", ["image", "all", "json"])
def test_scan_without_a_finding_is_told_so_and_has_no_seg(archive_server, stored, output):
    answer = archive_server.ask(stored["upright"], output=output, result_extension=".dcm", **UNREACHED)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    report = answer.json()
    assert report["lesions"] == []
    if output != "json":
        assert report["dicom"]["segmentation"] is None and report["dicom"]["note"].startswith("No finding")


def test_archive_of_a_scan_without_a_finding_has_the_map_and_no_seg(archive_server, stored):
    answer = archive_server.ask(stored["upright"], result_extension=".zip", **UNREACHED)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert "mask.dcm" not in files.namelist() and "anomaly_map.dcm" in files.namelist()
        assert json.loads(files.read("report.json"))["dicom"]["note"].startswith("No finding")


def test_corrected_mask_becomes_a_seg_and_the_series_is_no_next_sample(archive_server, orthanc, stored, tmp_path):
    uid, mask_file = stored["reversed"], tmp_path / "mask.nrrd"
    mask = read_image(archive_server.ask(uid, result_extension=".nrrd", **LOW).content, mask_file)
    known = {one["0020000E"]["Value"][0] for one in orthanc.search(Modality="SEG")}
    with mask_file.open("rb") as stream:
        answer = requests.put(
            f"{archive_server.url}/datastore/label", params={"image": uid, "tag": "final"},
            files={"label": ("mask.nrrd", stream)}, timeout=600,
        )  # fmt: skip
    assert answer.status_code == 200, answer.text
    (seg_uid,) = {one["0020000E"]["Value"][0] for one in orthanc.search(Modality="SEG")} - known
    path = tmp_path / "seg.dcm"
    orthanc.files(seg_uid)[0].save_as(path, write_like_original=False)
    seg = highdicom.seg.segread(path)
    assert_seg_is(seg, mask, orthanc.files(uid))
    assert seg.SegmentSequence[0].SegmentAlgorithmType == "MANUAL"
    listed = requests.get(f"{archive_server.url}/datastore/", params={"output": "all"}, timeout=60).json()["objects"]
    assert set(listed[uid]["labels"]) == {"final"}
    assert requests.post(f"{archive_server.url}/activelearning/random", timeout=60).json()["id"] != uid


def test_an_examined_series_has_its_place_in_the_order_of_review(archive_server, stored):
    examined = {stored[name]: archive_server.ask(stored[name], output="json", **LOW).json() for name in ("upright", "oblique")}
    listed = requests.get(f"{archive_server.url}/datastore/", params={"output": "all"}, timeout=60).json()["objects"]
    for uid, report in examined.items():
        assert listed[uid]["image"]["info"]["anomaly"]["score"] == pytest.approx(report["peak"] / 0.02, abs=1e-3)
    chosen = requests.post(f"{archive_server.url}/activelearning/highest_score", json={}, timeout=60).json()
    assert chosen["score"] >= max(report["peak"] for report in examined.values()) / 0.02 - 1e-3


def test_a_wrong_verdict_is_one_sentence(archive_server, stored, small_scan):
    answer = requests.put(
        f"{archive_server.url}/datastore/label", params={"image": stored["upright"], "tag": "mine"}, data={"params": '{"review": "x"}'},
        files={"label": ("mask.nii.gz", small_scan.read_bytes())}, timeout=600,
    )  # fmt: skip
    assert_is_one_sentence(answer, 422, "review")


def test_mask_of_another_grid_is_refused_as_label(archive_server, stored, oblique_scan):
    with oblique_scan.open("rb") as stream:
        answer = requests.put(
            f"{archive_server.url}/datastore/label", params={"image": stored["upright"], "tag": "final"},
            files={"label": ("mask.nii.gz", stream)}, timeout=600,
        )  # fmt: skip
    assert_is_one_sentence(answer, 422, "grid")


def test_image_can_be_had_as_one_volume(archive_server, stored, oblique_scan, tmp_path):
    answer = requests.get(f"{archive_server.url}/datastore/image", params={"image": stored["oblique"]}, timeout=60)
    assert answer.status_code == 200 and ".nrrd" in answer.headers["content-disposition"]
    image = read_image(answer.content, tmp_path / "scan.nrrd")
    assert_same_place(image, sitk.ReadImage(str(oblique_scan)))
    assert_same_scan(image, sitk.ReadImage(str(oblique_scan)))


@pytest.mark.parametrize(
    ("image", "params", "status", "about"),
    [
        ("1.2.3.4", {}, 404, "1.2.3.4"),
        ("no-uid", {}, 404, "no-uid"),
        ("*", {}, 404, "'*'"),
        ("1" * 70, {}, 404, "archive"),
        ("ct", {}, 422, "CT"),
        ("upright", {"write_back": "perhaps"}, 422, "write_back"),
    ],
)
def test_request_that_cannot_be_answered_is_one_sentence(archive_server, stored, image, params, status, about):
    before = archive_server.fetched
    assert_is_one_sentence(archive_server.ask(stored.get(image, image), **params), status, about)
    assert archive_server.fetched <= before | {stored["upright"]}


def test_an_archive_that_is_down_is_one_sentence_and_the_server_goes_on(archive_server, orthanc, stored, oblique_scan):
    new = orthanc.store(study(sitk.ReadImage(str(oblique_scan))))
    archive_server.ask(stored["oblique"], **LOW)
    image = f"{archive_server.url}/datastore/image"
    with stopped(orthanc):
        assert_is_one_sentence(archive_server.ask(new), 503, "does not answer")
        time.sleep(1.5)  # until the last list is out of date
        assert_is_one_sentence(requests.get(image, params={"image": new}, timeout=60), 503, "does not answer")
        assert_is_one_sentence(requests.get(f"{archive_server.url}/datastore/?output=all", timeout=60), 503, "archive")
        assert_is_one_sentence(requests.post(f"{archive_server.url}/activelearning/random", timeout=60), 503, "archive")
        assert_is_one_sentence(archive_server.ask(stored["oblique"], write_back=True, **LOW), 503, "archive")
        assert requests.get(f"{archive_server.url}/info/", timeout=5).status_code == 200
        # What is in the cache needs no archive.
        assert archive_server.ask(stored["oblique"], **LOW).status_code == 200
    assert requests.get(image, params={"image": new}, timeout=60).status_code == 200
    assert new in archive_server.fetched


def test_nothing_may_be_added_to_or_removed_from_the_archive_by_its_images(archive_server, orthanc, stored, small_scan):
    url = f"{archive_server.url}/datastore/image"
    removed = requests.delete(url, params={"id": stored["upright"]}, timeout=60)
    assert_is_one_sentence(removed, 422, "removes nothing")
    added = requests.put(url, params={"image": "new"}, files={"file": ("new.nii.gz", small_scan.read_bytes())}, timeout=60)
    assert_is_one_sentence(added, 422, "archive")
    assert orthanc.files(stored["upright"])


def test_write_back_needs_a_series_of_an_archive(archive_server, server, oblique_scan):
    for running in (archive_server, server):
        with oblique_scan.open("rb") as stream:
            answer = requests.post(
                f"{running.url}/infer/anomaly", files={"file": (oblique_scan.name, stream)},
                data={"params": '{"write_back": true}'}, timeout=600,
            )  # fmt: skip
        assert_is_one_sentence(answer, 422, "write_back")


def test_seg_of_a_scan_that_is_no_dicom_is_refused(server):
    answer = server.ask(image=server.image, output="image", params={"result_extension": ".dcm"})
    assert answer.status_code == 422 and "no DICOM series" in answer.json()["detail"]


def test_password_of_the_archive_is_written_nowhere(archive_server):
    for file in archive_server.home.rglob("*"):
        if file.is_file():
            assert archives.PASSWORD.encode() not in file.read_bytes(), file.name


def test_answers_leave_nothing_behind(archive_server, stored):
    before = set(archive_server.scratch.rglob("*"))
    for extension in (".dcm", ".zip"):
        archive_server.ask(stored["oblique"], result_extension=extension, **LOW)
    deadline = time.monotonic() + 10  # files of an answer are removed just after it was sent
    while left := set(archive_server.scratch.rglob("*")) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
