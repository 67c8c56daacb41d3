"""Report and files, from the panel."""

import csv

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_writer import save, study


def dicom_series(image, folder):
    """A scan as an MR series of one file for each slice."""
    return sorted(save(study(image), folder).iterdir())


def test_report_is_written_and_opened(with_result, tmp_path):
    with_result.desktop.where = tmp_path
    with_result.ui.reportButton.click()
    (page,) = with_result.desktop.opened
    text = page.read_text(encoding="utf-8")
    assert with_result.says == "" and text.count("<img") == 6 and "synthetic_dice" in text and "uma_ddpm" in text
    assert "Research use only" in text and "Not examined: 12.5 %" in text and "anomaly map" in text and "composite of scan and model" in text
    assert [file.name for file in tmp_path.glob("*.html*")] == [page.name] and page.name in with_result.ui.exportLabel.text()


def test_nothing_is_written_where_nothing_is_chosen(with_result, tmp_path):
    with_result.desktop.where = None
    for button in ("reportButton", "csvButton", "exportButton", "segButton"):
        getattr(with_result.ui, button).click()
    assert with_result.desktop.opened == [] and with_result.says == "" and with_result.ui.exportLabel.text() == ""


def test_lesions_go_into_a_table_with_what_was_left_out(with_result, tmp_path):
    from PySide6.QtCore import Qt

    with_result.desktop.where = tmp_path
    with_result.ui.lesionTable.item(1, 0).setCheckState(Qt.Unchecked)
    with_result.ui.csvButton.click()
    (file,) = tmp_path.glob("*.csv")
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig")))
    assert [row["Kept"] for row in rows] == ["1", "0"]


@pytest.mark.parametrize("index, ending", [(0, ".nii.gz"), (1, ".nrrd")])
def test_mask_and_maps_go_into_a_folder_of_their_own(with_result, tmp_path, delivery, index, ending):
    with_result.desktop.where = tmp_path / "out"
    with_result.ui.formatBox.setCurrentIndex(index)
    with_result.ui.exportButton.click()
    (folder,) = (tmp_path / "out").iterdir()
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"mask{ending}"))), delivery.voxels("mask"))
    assert (folder / f"anomaly_map{ending}").is_file()


def test_mask_as_dicom_seg_lies_on_the_images_of_the_series(with_result, tmp_path, delivery):
    with_result.desktop.where = tmp_path / "out"
    with_result.desktop.where.mkdir()
    # In another order than that of the slices, as a database gives them.
    with_result.desktop.dicom = dicom_series(delivery.image("scan"), tmp_path / "series")[::-1]
    with_result.ui.segButton.click()
    assert with_result.says == ""
    (file,) = with_result.desktop.where.iterdir()
    seg = pydicom.dcmread(file)
    assert seg.Modality == "SEG" and seg.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue == "4147007"
    mask, found = delivery.image("mask"), 0
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array):
        corner = [float(value) for value in frame.PlanePositionSequence[0].ImagePositionPatient]
        _, _, k = mask.TransformPhysicalPointToContinuousIndex(corner)
        assert np.array_equal(pixels, delivery.voxels("mask")[round(k)])
        found += pixels.sum()
    assert found == delivery.voxels("mask").sum()


def test_why_there_is_no_dicom_seg_is_told(with_result, tmp_path, delivery, delivered):
    with_result.desktop.where = tmp_path
    with_result.ui.segButton.click()
    assert "not loaded from DICOM" in with_result.says
    moved = delivery.image("scan")
    moved.SetOrigin([value + 1 for value in moved.GetOrigin()])
    with_result.desktop.dicom = dicom_series(moved, tmp_path / "series")
    with_result.ui.segButton.click()
    assert "does not lie on the images" in with_result.says and list(tmp_path.glob("*.dcm*")) == []


def test_series_whose_headers_no_seg_can_refer_to_is_refused_in_words(with_result, tmp_path, delivery):
    with_result.desktop.where = tmp_path
    images = study(delivery.image("scan"))
    for image in images:
        del image.StudyInstanceUID
    with_result.desktop.dicom = sorted(save(images, tmp_path / "series").iterdir())
    with_result.ui.segButton.click()
    assert "no DICOM SEG can refer" in with_result.says and list(tmp_path.glob("*.dcm*")) == []


def test_folder_that_cannot_be_written_to_is_told(with_result, tmp_path):
    (tmp_path / "file").write_text("")
    with_result.desktop.where = tmp_path / "file"
    with_result.ui.reportButton.click()
    assert "cannot be written" in with_result.says and with_result.desktop.opened == []
