"""Zip archives: unpacked within bounds, to a folder that is gone afterwards."""

import tempfile
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writer import assert_same_scan, phantom, save, slices

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import archive, read_scan


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files; empty again after every test."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def dicom_files(folder, prefix="", **elements):
    series = save(slices(phantom(turn=(0.3, -0.2, 0.4)), **elements), folder)
    return {f"{prefix}{file.name}": file.read_bytes() for file in series.iterdir()}


def image_file(folder, name="a-T2.nii.gz"):
    sitk.WriteImage(phantom(), str(folder / name))
    return (folder / name).read_bytes()


def test_a_zip_of_a_series_is_the_series(tmp_path):
    files = {"DICOMDIR": b"x", "__MACOSX/._IM000.dcm": b"x", "study/.DS_Store": b"x", **dicom_files(tmp_path / "s", "study/")}
    scan = read_scan(zipped(tmp_path / "case.zip", files))
    assert_same_scan(scan.image, phantom(turn=(0.3, -0.2, 0.4)))
    assert scan.name == "case.zip, series 3"


def test_a_series_in_a_zip_can_be_chosen(tmp_path):
    files = dicom_files(tmp_path / "1", "a/") | dicom_files(tmp_path / "2", "b/", SeriesNumber=8)
    path = zipped(tmp_path / "case.zip", files)
    with pytest.raises(InputError, match="case.zip holds several series"):
        read_scan(path)
    assert read_scan(path, series="8").tags["SeriesDescription"] == "Phantom"


@pytest.mark.parametrize("name", ["a-T2.nii.gz", "a-T2.nrrd", "a-T2.mha"])
def test_a_zip_of_one_file_is_that_file(name, tmp_path):
    scan = read_scan(zipped(tmp_path / "case.zip", {f"folder/{name}": image_file(tmp_path, name)}))
    assert_same_scan(scan.image, phantom())
    assert scan.name == "case.zip" and scan.modality == "T2"


def refused(path, about):
    with pytest.raises(InputError, match=about) as caught:
        read_scan(path)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "scratch" not in sentence


def test_what_is_no_zip_or_truncated_is_refused(tmp_path):
    path = zipped(tmp_path / "case.zip", dicom_files(tmp_path / "s"))
    content = path.read_bytes()
    for bad in (b"", b"no zip", content[: len(content) // 2], content[:200] + b"damaged!" + content[208:]):
        path.write_bytes(bad)
        refused(path, "case.zip cannot be unpacked")


@pytest.mark.parametrize("name", ["../outside.dcm", "/outside.dcm", "a/../../outside.dcm"])
def test_nothing_is_unpacked_outside_the_folder(name, tmp_path):
    refused(zipped(tmp_path / "case.zip", {name: b"x"}), "outside its folder")
    assert list(tmp_path.rglob("outside*")) == []


def test_a_zip_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = zipped(tmp_path / "bomb.zip", {"zeros.nii": np.zeros(1 << 20, np.uint8).tobytes(), "more.nii": b"x"})
    monkeypatch.setattr(archive, "LARGEST_FILES", 1)
    refused(path, "bomb.zip holds 2 files; at most 1 are unpacked")
    monkeypatch.undo()
    monkeypatch.setattr(archive, "LARGEST_BYTES", 1 << 19)
    with pytest.raises(InputError, match="bomb.zip would unpack to"):
        archive.unpacked(path).__enter__()


def test_a_zip_without_a_scan_or_with_several_is_refused(tmp_path):
    refused(zipped(tmp_path / "none.zip", {"readme.txt": b"x"}), "none.zip holds no DICOM series or other scan")
    refused(zipped(tmp_path / "empty.zip", {}), "empty.zip is empty")
    image = image_file(tmp_path)
    refused(zipped(tmp_path / "two.zip", {"a.nii.gz": image, "b.nii.gz": image}), "two.zip holds 2 image files")


def test_a_header_that_names_another_file_is_refused(tmp_path):
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\ndata file: /etc/hostname\n\n"
    refused(zipped(tmp_path / "case.zip", {"a.nrrd": header}), "a.nrrd has its voxels in another file")
