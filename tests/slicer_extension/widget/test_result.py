"""Looking at a result: views, threshold, and lesion table follow each other."""

import numpy as np
import pytest
from AnomalyDetectionLib.scene import add_result, layouts, left_out, results_in
from AnomalyDetectionLib.scene.segmentation import mask_of
from AnomalyDetectionLib.widget.lesion_table import KEEP
from PySide6.QtCore import Qt
from slicer_scene import THRESHOLD


def mask(shown):
    result = shown.session.result
    return mask_of(result.get("mask"), result.get("anomaly_map"))


def column(shown, number):
    table = shown.ui.lesionTable
    return [table.item(row, number).data(Qt.DisplayRole) for row in range(table.rowCount())]


def opacity(shown, name):
    return [node.GetForegroundOpacity() for node in layouts.composite_nodes(shown.desk.scene, name)]


def test_result_is_told_in_words_and_as_a_table(with_result):
    assert with_result.ui.summaryLabel.text().startswith("2 findings, ") and "Not examined: 12.5 %" in with_result.ui.summaryLabel.text()
    assert column(with_result, 1) == [1, 2] and column(with_result, 2)[0] > column(with_result, 2)[1] > 0
    assert "Research use only" in with_result.ui.noticeLabel.text()


def test_dragging_the_threshold_makes_the_mask_anew_on_this_computer(with_result):
    before = mask(with_result).sum()
    with_result.ui.thresholdSlider.setValue(0.3)
    with_result.until(lambda: with_result.ui.lesionTable.rowCount() == 1)
    assert 0 < mask(with_result).sum() < before and with_result.session.client is None
    assert with_result.ui.calibrationBox.currentText() == "own value" and with_result.ui.calibrationLabel.isHidden()
    with_result.ui.resetButton.click()
    assert mask(with_result).sum() == before and with_result.session.result.threshold == THRESHOLD
    assert with_result.ui.calibrationBox.currentText() == "best on painted lesions"


def test_small_lesions_are_left_out_as_the_slider_says(with_result):
    volumes = column(with_result, 2)
    with_result.ui.smallestSlider.setValue(1000 * (volumes[0] + volumes[1]) / 2)
    with_result.until(lambda: with_result.ui.lesionTable.rowCount() == 1)
    assert column(with_result, 2) == volumes[:1]


def test_smallest_lesion_is_each_results_own(with_result, delivered, tmp_path):
    first, slider = with_result.session.result, with_result.ui.smallestSlider
    slider.setValue(500)
    with_result.until(lambda: first.noted("smallest_mm3") == "500.0")
    other = delivered(tmp_path / "other")
    with_result.session.show(add_result(with_result.desk.scene, first.get("scan"), other.files, other.report))
    assert slider.property("value") == 64 and slider.property("SlicerParameterName") is None
    with_result.session.show(first)
    assert slider.property("value") == 500 and first.noted("smallest_mm3") == "500.0"


def test_lesion_whose_box_is_cleared_leaves_the_mask_and_can_come_back(with_result):
    before = mask(with_result)
    with_result.ui.lesionTable.item(1, KEEP).setCheckState(Qt.Unchecked)
    assert 0 < mask(with_result).sum() < before.sum() and left_out(with_result.session.result.get("table")) == {2}
    assert "1 left out" in with_result.ui.summaryLabel.text()
    with_result.ui.lesionTable.item(1, KEEP).setCheckState(Qt.Checked)
    assert np.array_equal(mask(with_result), before)


def test_sorting_leaves_box_and_click_with_their_lesion(with_result):
    table = with_result.ui.lesionTable
    table.sortItems(2, Qt.AscendingOrder)
    assert column(with_result, 1) == [2, 1]
    table.item(0, KEEP).setCheckState(Qt.Unchecked)
    assert left_out(with_result.session.result.get("table")) == {2}
    lesion = with_result.session.live.findings.lesions[0]
    table.cellClicked.emit(1, 2)
    for node in layouts.slice_nodes(with_result.desk.scene, "Scan"):
        matrix = node.GetSliceToRAS()
        normal, origin = (np.array([matrix.GetElement(row, at) for row in range(3)]) for at in (2, 3))
        # In the plane of every view, to within half of a slice.
        assert abs(normal @ (origin - lesion.centroid_ras)) < 1.1


def test_keys_step_through_the_lesions_only_while_the_module_is_open(with_result):
    with_result.panel.lesions.step(1)
    assert with_result.ui.lesionTable.currentRow() == 0
    with_result.panel.lesions.step(-1)
    assert with_result.ui.lesionTable.currentRow() == 1
    assert all(shortcut.isEnabled() for shortcut in with_result.panel._shortcuts)
    with_result.panel.exit()
    assert not any(shortcut.isEnabled() for shortcut in with_result.panel._shortcuts)


def test_views_show_what_the_panel_says(with_result):
    ui = with_result.ui
    ui.layoutBox.setCurrentIndex(1)
    arrangement = with_result.desk.scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()
    assert arrangement == layouts.Layout.SCAN_RECONSTRUCTION_MAP.value
    ui.heatOpacitySlider.setValue(0.2)
    assert opacity(with_result, "Map") == pytest.approx([0.2] * 3)
    assert "composite" in ui.captionLabel.text()
    ui.reconstructionBox.setCurrentIndex(1)
    assert "model output" in ui.captionLabel.text() and "composite" not in ui.captionLabel.text()
    assert with_result.desktop.settings["layout"] == with_result.desktop.settings["reconstruction"] == "1"
    ui.examinedCheck.setChecked(False)
    assert not with_result.session.result.get("examined").GetDisplayNode().GetVisibility()
    assert ui.examinedLabel.text() == "not examined: 12.5 % of the brain"


def test_fading_and_blinking_show_the_reconstruction_in_the_place_of_the_scan(with_result):
    with_result.ui.fadeSlider.setValue(0.5)
    assert opacity(with_result, "Scan") == pytest.approx([0.5] * 3)
    with_result.ui.fadeSlider.setValue(0)
    with_result.ui.blinkButton.click()
    for wanted in (1.0, 0.0):
        with_result.until(lambda wanted=wanted: opacity(with_result, "Scan") == [wanted] * 3)
    with_result.panel.exit()
    assert not with_result.ui.blinkButton.isChecked() and opacity(with_result, "Scan") == [0.0] * 3


def test_earlier_results_are_kept_and_can_be_looked_at_again(with_result, delivered, tmp_path):
    first = with_result.session.result
    other = delivered(tmp_path / "other", lesions=())
    second = add_result(with_result.desk.scene, first.get("scan"), other.files, other.report)
    with_result.session.show(second)
    assert with_result.ui.resultBox.count() == 2 and with_result.ui.summaryLabel.text().startswith("No finding")
    with_result.ui.resultBox.setCurrentIndex(0)
    assert with_result.session.result == first and column(with_result, 1) == [1, 2]
    assert results_in(with_result.desk.scene) == [first, second]
