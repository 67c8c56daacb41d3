"""What `POST /infer/anomaly` returns."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests
import SimpleITK as sitk
from dicom_writer import assert_same_place, save, slices
from monailabel.client import MONAILabelClient
from requests_toolbelt.multipart.decoder import MultipartDecoder

VOLUMES = ("mask", "reconstruction", "model_output", "anomaly_map", "examined", "structures")


def read_image(content: bytes, path: Path) -> sitk.Image:
    path.write_bytes(content)
    return sitk.ReadImage(str(path))


def assert_same_grid(image: sitk.Image, scan: sitk.Image) -> None:
    assert image.GetSize() == scan.GetSize()
    np.testing.assert_allclose(image.GetSpacing(), scan.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(image.GetOrigin(), scan.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(image.GetDirection(), scan.GetDirection(), atol=1e-5)


def assert_is_mask_of(image: sitk.Image, scan: Path) -> None:
    assert image.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(sitk.GetArrayViewFromImage(image))) <= {0, 1}
    assert_same_grid(image, sitk.ReadImage(str(scan)))


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd"])
def test_mask_of_a_datastore_image_lies_on_the_scan_grid(server, tmp_path, extension):
    response = server.ask(image=server.image, output="image", params={"result_extension": extension})
    assert response.status_code == 200
    assert extension in response.headers["content-disposition"]
    assert_is_mask_of(read_image(response.content, tmp_path / f"mask{extension}"), server.scan)


def test_mask_of_an_uploaded_scan_lies_on_its_grid(server, unseen_scan, tmp_path):
    response = server.ask(file=unseen_scan(), output="image")
    assert response.status_code == 200
    assert_is_mask_of(read_image(response.content, tmp_path / "mask.nii.gz"), server.scan)


def test_a_series_in_an_uploaded_zip_can_be_chosen(server, tmp_path):
    scan = sitk.ReadImage(str(server.scan))
    for number in (3, 4):
        save(slices(scan, SeriesNumber=number), tmp_path / "study" / str(number))
    upload = Path(shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study"))
    before = server.temporary_files()
    refused = server.ask(file=upload, output="image")
    assert refused.status_code == 422 and "study.zip holds several series" in refused.json()["detail"]
    response = server.ask(file=upload, output="image", params={"series": "4"})
    assert response.status_code == 200, response.text
    assert_same_place(read_image(response.content, tmp_path / "mask.nii.gz"), scan)
    assert server.left_only(before)


def test_mask_of_a_session_lies_on_the_scan_grid(server, tmp_path):
    with server.scan.open("rb") as stream:
        session = requests.put(f"{server.url}/session/", files={"files": (server.scan.name, stream)}, timeout=60).json()
    response = server.ask(session_id=session["session_id"], output="image")
    assert response.status_code == 200
    assert_is_mask_of(read_image(response.content, tmp_path / "mask.nii.gz"), server.scan)


def test_archive_holds_every_volume_with_report_and_overview(server, tmp_path):
    response = server.ask(image=server.image, output="image", params={"result_extension": ".zip"})
    assert response.headers["content-type"] == "application/zip"
    scan = sitk.ReadImage(str(server.scan))
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert {f"{name}.nii.gz" for name in VOLUMES} | {"report.json", "overview.png"} == set(archive.namelist())
        for name in VOLUMES:
            assert_same_grid(read_image(archive.read(f"{name}.nii.gz"), tmp_path / f"{name}.nii.gz"), scan)
        assert "Research use only" in json.loads(archive.read("report.json"))["notice"]
        assert archive.read("overview.png").startswith(b"\x89PNG")


def test_archive_and_mask_agree(server, tmp_path):
    low = {"threshold": 0.02}
    mask = read_image(server.ask(image=server.image, output="image", params=low).content, tmp_path / "alone.nii.gz")
    archive = server.ask(image=server.image, output="image", params={**low, "result_extension": ".zip"})
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        archived = read_image(files.read("mask.nii.gz"), tmp_path / "archived.nii.gz")
    assert sitk.GetArrayViewFromImage(mask).any()
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(mask), sitk.GetArrayViewFromImage(archived))


def test_result_parameters_say_what_was_found_and_how(server):
    result = server.ask(image=server.image, output="json", params={"threshold": 0.02}).json()
    assert result["label_names"] == {"anomaly": 1}
    assert {"model", "modality", "threshold", "lesions", "timings", "notice"} <= result.keys()
    assert result["quality"]["verdict"] in ("ok", "check") and isinstance(result["quality"]["reasons"], list)
    assert result["lesions"]
    for lesion in result["lesions"]:
        assert lesion["volume_ml"] > 0


def test_default_answer_is_multipart_with_parameters_and_mask(server, tmp_path):
    response = server.ask(image=server.image)
    parts = MultipartDecoder.from_response(response).parts
    assert [part.headers[b"Content-Disposition"].split(b'"')[1] for part in parts] == [b"params", b"image"]
    assert json.loads(parts[0].content)["label_names"] == {"anomaly": 1}
    assert_is_mask_of(read_image(parts[1].content, tmp_path / "mask.nii.gz"), server.scan)


def test_threshold_can_be_a_name_or_a_number(server):
    names = requests.get(f"{server.url}/info/", timeout=30).json()["models"]["anomaly"]["thresholds"]
    named = server.ask(image=server.image, output="json", params={"threshold": names[0]}).json()
    assert named["threshold"]["name"] == names[0]
    number = server.ask(image=server.image, output="json", params={"threshold": 0.25}).json()
    assert number["threshold"]["value"] == pytest.approx(0.25)
    # Forms send numbers as text.
    text = server.ask(image=server.image, output="json", params={"threshold": "0.25"}).json()
    assert text["threshold"] == number["threshold"]


def test_other_threshold_or_format_needs_no_new_inference(server):
    first = server.ask(image=server.image, output="json").json()
    second = server.ask(image=server.image, output="json", params={"threshold": 0.31}).json()
    archive = server.ask(image=server.image, output="image", params={"threshold": 0.32, "result_extension": ".zip"})
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        third = json.loads(files.read("report.json"))
    # The timings are those of the run that made the anomaly map.
    assert first["timings"] == second["timings"] == third["timings"]


def test_model_can_be_named(server):
    models = requests.get(f"{server.url}/info/", timeout=30).json()["models"]["anomaly"]
    result = server.ask(image=server.image, output="json", params={"model": models["default_model"]})
    assert result.json()["model"] == models["default_model"]


def test_stock_keys_that_are_not_ours_do_nothing(server):
    params = {"image": "another", "device": "cuda:7", "logging": "nonsense", "result_dtype": "float64",
              "save_label": True, "label_tag": "x", "session": "x", "client_id": "test"}  # fmt: skip
    response = server.ask(image=server.image, output="json", params=params)
    assert response.status_code == 200
    assert requests.get(f"{server.url}/info/", timeout=30).json()["datastore"]["label_tags"] == {}


def test_nothing_is_left_behind_after_an_answer(server):
    before = server.temporary_files()
    server.ask(image=server.image, output="image", params={"result_extension": ".zip"})
    server.ask(image=server.image, output="json")
    assert server.left_only(before)


def test_stock_client_lists_the_inferer_and_gets_a_mask(server, tmp_path):
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path))
    described = client.info()["models"]["anomaly"]
    assert described["type"] == "segmentation" and described["labels"] == {"anomaly": 1}
    # What the stock Slicer plugin sends: its own keys, and the first of every list in the model's `config`.
    params = {key: value[0] for key, value in described["config"].items()}
    params |= {"result_extension": ".nrrd", "result_dtype": "uint8", "device": "cpu"}
    mask, result = client.infer("anomaly", server.image, params)
    assert result["label_names"] == {"anomaly": 1}
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)
    session = client.create_session(str(server.scan))["session_id"]
    mask, _ = client.infer("anomaly", "", {"result_extension": ".nrrd"}, session_id=session)
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)
    mask, _ = client.infer("anomaly", "", {"result_extension": ".nrrd"}, file=str(server.scan))
    assert_is_mask_of(sitk.ReadImage(mask), server.scan)
