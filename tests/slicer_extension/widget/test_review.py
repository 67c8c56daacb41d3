"""Verdicts and the worklist, against the real server."""

import json

import numpy as np
import pytest
import requests
import SimpleITK as sitk
from AnomalyDetectionLib.client import Case
from AnomalyDetectionLib.scene import layouts
from AnomalyDetectionLib.scene.segmentation import mask_of, paint
from AnomalyDetectionLib.scene.worklist import image_of
from PySide6.QtCore import Qt


@pytest.fixture(scope="module")
def hospital(serve, tmp_path_factory):
    """A server of its own: which case comes next depends on what others have reviewed."""
    with serve(tmp_path_factory.mktemp("hospital")) as running:
        yield running


@pytest.fixture
def reviewer(shown, hospital):
    shown.connect(hospital.url)
    shown.ui.reviewerEdit.setText("Ada Example")
    return shown


def label_info(server, image):
    answer = requests.get(f"{server.url}/datastore/", params={"output": "all"}, timeout=60).json()["objects"][image]
    return answer["labels"]["final"]["info"]


def sent(shown):
    shown.until(lambda: shown.ui.reviewLabel.text().startswith("Sent:") or shown.says)
    assert shown.says == ""


def test_verdict_needs_a_name(shown, delivery):
    assert not shown.ui.acceptButton.isEnabled() and "name" in shown.ui.reviewSection.toolTip()
    shown.ui.reviewerEdit.setText("Ada")
    assert shown.desktop.settings["reviewer"] == "Ada" and not shown.ui.acceptButton.isEnabled()


def test_next_case_is_loaded_examined_where_it_lies_and_reviewed(reviewer, hospital):
    ui = reviewer.ui
    reviewer.until(lambda: "cases reviewed" in ui.worklistBar.format())
    ui.nextCaseButton.click()
    scan = reviewer.until(ui.scanSelector.currentNode)
    assert image_of(scan, reviewer.session.server) == hospital.image and reviewer.says == ""
    assert reviewer.desktop.looked_at == [scan]
    reviewer.detect()
    # The server has the scan: nothing was sent, so nobody was asked.
    assert reviewer.says == "" and reviewer.desktop.questions == []
    ui.commentEdit.setText("as it should be")
    ui.acceptButton.click()
    sent(reviewer)
    review = label_info(hospital, hospital.image)["review"]
    assert (review["verdict"], review["reviewer"], review["comment"]) == ("accepted", "Ada Example", "as it should be")
    assert review["threshold"] == pytest.approx(reviewer.session.result.threshold)
    reviewer.until(lambda: ui.worklistBar.value() > 0)
    ui.nextCaseButton.click()
    reviewer.until(lambda: reviewer.says or ui.nextCaseButton.isEnabled())
    assert "has been reviewed" in reviewer.says and reviewer.desktop.temporary_left == []


def test_next_case_takes_the_place_of_the_result_of_the_one_before(reviewer, hospital, with_result):
    ui, session, mask = reviewer.ui, reviewer.session, with_result.session.result.get("mask")
    assert ui.acceptButton.isEnabled() and mask.GetDisplayNode().GetVisibility()
    session.client.next_case = lambda strategy: Case(hospital.image, {})
    ui.nextCaseButton.click()
    assert not ui.acceptButton.isEnabled()
    reviewer.until(lambda: reviewer.desktop.looked_at)
    (scan,) = reviewer.desktop.looked_at
    assert ui.scanSelector.currentNode() is scan and session.result is None and reviewer.says == ""
    assert not ui.acceptButton.isEnabled() and not ui.rejectButton.isEnabled() and not mask.GetDisplayNode().GetVisibility()
    for column, shown in (("Scan", scan.GetID()), ("Reconstruction", None), ("Map", scan.GetID())):
        for node in layouts.composite_nodes(reviewer.desk.scene, column):
            assert (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()) == (shown, None)
    reviewer.panel.exit()
    reviewer.panel.enter()
    assert session.result is None and ui.resultBox.currentIndex() == -1
    ui.resultBox.setCurrentIndex(0)
    assert ui.acceptButton.isEnabled() and mask.GetDisplayNode().GetVisibility()


def test_edited_mask_that_a_new_threshold_replaces_is_told_and_the_new_one_is_not_sent_as_corrected(reviewer, with_result):
    ui, result = reviewer.ui, reviewer.session.result
    edited = result.get("mask")
    assert not ui.correctedButton.isEnabled() and "first" in ui.correctedButton.toolTip() and ui.acceptButton.isEnabled()
    reviewer.panel.exit()
    more = mask_of(edited, result.get("anomaly_map"))
    more[0, 0, 0] = 1
    paint(edited, more, result.get("anomaly_map"))
    reviewer.panel.enter()
    assert ui.correctedButton.isEnabled() and reviewer.says == ""
    ui.thresholdSlider.setValue(0.3)
    reviewer.until(lambda: result.get("mask") is not edited)
    assert edited.GetName() in reviewer.says and "(edited)" in edited.GetName() and edited.GetScene() is reviewer.desk.scene
    assert not ui.correctedButton.isEnabled()
    ui.resetButton.click()
    ui.lesionTable.item(1, 0).setCheckState(Qt.Unchecked)
    assert ui.correctedButton.isEnabled(), "A lesion that is left out is a correction."
    ui.lesionTable.item(1, 0).setCheckState(Qt.Checked)
    assert not ui.correctedButton.isEnabled()


def test_corrected_mask_of_a_scan_that_was_sent_becomes_a_case_of_the_worklist(reviewer, unseen, hospital, tmp_path):
    scan = reviewer.load(unseen(hospital.scan), "Jane Doe T1")
    result = reviewer.detect()
    grid = result.get("anomaly_map")
    corrected = np.zeros(grid.GetImageData().GetDimensions()[::-1], dtype=np.uint8)
    corrected[4:8, 5:9, 6:10] = 1
    reviewer.ui.editButton.click()
    assert reviewer.desktop.edited == [(result.get("mask"), scan)] and not reviewer.ui.correctedButton.isEnabled()
    reviewer.panel.exit()
    paint(result.get("mask"), corrected, grid)
    reviewer.panel.enter()
    reviewer.ui.correctedButton.click()
    sent(reviewer)
    image = image_of(scan, reviewer.session.server)
    assert image.startswith("scan-") and image.endswith("-T1") and "Jane" not in json.dumps(label_info(hospital, image))
    answer = requests.get(f"{hospital.url}/datastore/label", params={"label": image, "tag": "final"}, timeout=60)
    (tmp_path / "label.nii.gz").write_bytes(answer.content)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "label.nii.gz"))) > 0, corrected > 0)
    assert reviewer.desktop.temporary_left == []
