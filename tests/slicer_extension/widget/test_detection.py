"""Detect and Cancel, pressed in the panel, against the real server."""

import numpy as np
import slicer
import vtk
from AnomalyDetectionLib.scene import Layout, add_result, results_in
from AnomalyDetectionLib.scene.volumes import array_of
from AnomalyDetectionLib.widget.detection import name_to_tell
from PySide6.QtCore import QTimer


def test_detect_puts_the_result_beside_the_scan_and_into_the_views(connected, unseen_scan):
    ui, scan, beats = connected.ui, connected.load(unseen_scan()), []
    pulse = QTimer()
    pulse.timeout.connect(lambda: beats.append(ui.progressLabel.text()))
    pulse.start(20)
    result = connected.detect()
    assert connected.says == "" and result is not None and result.get("scan") is scan
    # The clock of the panel went on all the while, and told how far it was.
    assert any("step" in text for text in beats)
    assert ui.detectButton.text() == "Detect anomaly" and ui.progressBar.isHidden()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(connected.desk.scene)
    folder = tree.GetItemParent(tree.GetItemByDataNode(result.get("mask")))
    assert tree.GetItemParent(folder) == tree.GetItemParent(tree.GetItemByDataNode(scan))
    assert ui.summaryLabel.text().endswith("of the brain.") and ui.resultBox.count() == 1
    assert ui.lesionTable.rowCount() == len(result.report["lesions"])
    assert connected.desktop.temporary_left == []


def test_result_that_comes_while_another_module_is_open_is_shown_on_coming_back(connected, unseen_scan):
    scene, scan = connected.desk.scene, connected.load(unseen_scan())
    connected.ui.detectButton.click()
    connected.panel.exit()
    connected.until(lambda: not connected.panel.detection.is_running)
    (result,) = results_in(scene)
    connected.panel.refresh()
    assert connected.session.result is None and result.get("scan") is scan
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout is None or layout.GetViewArrangement() not in [one.value for one in Layout]
    connected.panel.enter()
    assert connected.session.result == result and connected.says == ""


def test_result_whose_scene_was_closed_meanwhile_is_no_matter(with_result, delivered, tmp_path):
    session, first = with_result.session, with_result.session.result
    with_result.panel.exit()
    other = delivered(tmp_path / "other")
    late = add_result(session.scene, first.get("scan"), other.files, other.report)
    session.when_entered(lambda: with_result.panel.detection._look_at(late))
    assert session.result == first
    session.scene.Clear(False)
    with_result.panel.refresh()
    with_result.panel.enter()
    assert session.result is None and with_result.says == ""


def test_nothing_is_sent_without_consent(connected, unseen_scan):
    connected.desktop.agreeing = False
    connected.load(unseen_scan())
    connected.ui.detectButton.click()
    assert not connected.panel.detection.is_running and len(connected.desktop.questions) == 1
    assert connected.desktop.temporary_left == [] and connected.session.jobs.unfinished == ()


def test_cancel_stops_what_runs_and_keeps_nothing(connected, long_scan):
    connected.load(long_scan())
    connected.ui.detectButton.click()
    assert connected.ui.detectButton.text() == "Cancel" and not connected.ui.scanSelector.isEnabled()
    connected.until(lambda: "step" in connected.ui.progressLabel.text())
    connected.ui.detectButton.click()
    connected.until(lambda: not connected.panel.detection.is_running)
    assert connected.says.startswith("Canceled") and results_in(connected.desk.scene) == []
    assert connected.desktop.temporary_left == [] and connected.ui.scanSelector.isEnabled()


def test_scan_under_a_transform_is_found_where_it_stands(connected, unseen_scan):
    scan = connected.load(unseen_scan())
    transform = connected.desk.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    for axis, shift in enumerate((5, -3, 11)):
        matrix.SetElement(axis, 3, shift)
    transform.SetMatrixTransformToParent(matrix)
    before = np.array(scan.GetOrigin())
    scan.SetAndObserveTransformNodeID(transform.GetID())
    result = connected.detect()
    assert np.allclose(np.array(result.get("anomaly_map").GetOrigin()) - before, (5, -3, 11), atol=1e-3)
    assert array_of(result.get("anomaly_map")).shape == array_of(scan).shape


def test_failure_is_told_in_the_servers_words_with_details_on_demand(connected, unseen_scan):
    connected.load(unseen_scan(), "sample-T2")
    connected.detect()
    ui = connected.ui
    assert "T2" in connected.says and ui.messageDetails.isHidden()
    ui.messageDetailsButton.click()
    assert not ui.messageDetails.isHidden() and "Refused" in ui.messageDetails.toPlainText()


def test_scan_that_is_deleted_meanwhile_is_told_and_nothing_else_is_lost(connected, unseen_scan):
    scan = connected.load(unseen_scan())
    connected.ui.detectButton.click()
    connected.desk.scene.RemoveNode(scan)
    connected.until(lambda: not connected.panel.detection.is_running)
    assert "not in the scene any more" in connected.says


def test_of_a_name_only_the_sequence_leaves_this_computer():
    assert name_to_tell("DOE^JANE T1 MPRAGE", "scan.nrrd") == "scan-T1.nrrd"
    assert name_to_tell("doe-jane-t2", "x.nii.gz") == "scan-T2.nii.gz"
    assert name_to_tell("ST12 Jane", "scan.nrrd") == "scan.nrrd"
