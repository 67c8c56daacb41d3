"""Results in the scene: real files become nodes in the right place, each run beside the one before, nothing is lost."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from AnomalyDetectionLib.lesions import AnomalyMap
from AnomalyDetectionLib.scene import LiveThreshold, SceneError, add_result, export, left_out, results_in, set_kept
from AnomalyDetectionLib.scene.hierarchy import folder_of
from AnomalyDetectionLib.scene.segmentation import SEGMENT, mask_of, paint
from AnomalyDetectionLib.scene.volumes import array_of, ijk_to_ras

from umaddpm_core.detection import Detector, write_detection
from umaddpm_core.serving.dicom.segmentation import CATEGORY, PROPERTY, REGION


def the_mask(result):
    return mask_of(result.get("mask"), result.get("anomaly_map"))


def edit(result):
    """What a person does in the Segment Editor: one more voxel."""
    mask = the_mask(result)
    mask[0, 0, 0] = 1
    paint(result.get("mask"), mask, result.get("anomaly_map"))
    return mask


def test_oblique_files_arrive_where_they_are(result, delivery):
    assert result.is_alive
    for role in ("anomaly_map", "reconstruction", "model_output"):
        node = result.get(role)
        np.testing.assert_array_equal(array_of(node), delivery.voxels(role))
        np.testing.assert_allclose(ijk_to_ras(node), delivery.ijk_to_ras(role), atol=1e-4)
    np.testing.assert_array_equal(the_mask(result), delivery.voxels("mask"))
    examined = mask_of(result.get("examined"), result.get("anomaly_map"))
    np.testing.assert_array_equal(examined, delivery.voxels("examined"))


def test_segment_has_the_codes_of_the_servers_seg(result):
    segment = result.get("mask").GetSegmentation().GetSegment(SEGMENT)
    told = vtk.reference("")
    assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), told)
    for code in (CATEGORY, PROPERTY, REGION):
        assert f"{code.scheme_designator}^{code.value}^{code.meaning}" in str(told)
    assert segment.GetName() == "Anomaly" and segment.GetColor()[0] > segment.GetColor()[1]


def test_result_stands_in_a_folder_beside_its_scan_and_says_what_it_is(desk, result):
    for role in ("mask", "anomaly_map", "reconstruction", "model_output", "examined", "table"):
        assert folder_of(desk.scene, result.get(role)) == "scan anomaly 1"
    assert folder_of(desk.scene, result.get("scan")) == ""
    assert "composite" in result.get("reconstruction").GetName() and "composite" not in result.get("model_output").GetName()
    assert "not examined: 12.5 % of the brain" in result.get("examined").GetName()
    assert result.report["model"] == "uma_ddpm"


def test_each_run_makes_a_new_result_and_keeps_the_earlier_ones(desk, delivery, result, delivered, tmp_path):
    edited = edit(result)
    second = delivered(tmp_path / "second", lesions=(((24, 20, 20), 6, 0.5),))
    other = add_result(desk.scene, result.get("scan"), second.files, second.report)
    assert results_in(desk.scene) == [result, other] == results_in(desk.scene, result.get("scan"))
    assert result.name != other.name and folder_of(desk.scene, other.get("mask")) == other.name
    np.testing.assert_array_equal(the_mask(result), edited)
    np.testing.assert_array_equal(the_mask(other), second.voxels("mask"))


def test_empty_mask_is_a_result_like_any_other(desk, delivered, tmp_path):
    nothing = delivered(tmp_path / "nothing", lesions=())
    result = add_result(desk.scene, desk.load(nothing.scan), nothing.files, nothing.report)
    threshold = LiveThreshold(result)
    assert not the_mask(result).any() and threshold.findings.lesions == ()
    assert result.get("table").GetTable().GetNumberOfRows() == 0
    assert len(threshold.move(0.01).lesions) == 1 and the_mask(result).any()
    assert threshold.move(0.5).lesions == () and not the_mask(result).any()
    files = export(result, tmp_path / "out")
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(files[0]))).sum() == 0


def test_threshold_moves_mask_and_table_together(result, delivery):
    threshold = LiveThreshold(result)
    table = result.get("table").GetTable()
    assert table.GetNumberOfRows() == 2 and threshold.highest == pytest.approx(0.4)
    findings = threshold.move(0.3)
    expected = delivery.voxels("anomaly_map") > 0.3
    np.testing.assert_array_equal(the_mask(result), expected)
    assert result.get("table").GetTable().GetNumberOfRows() == len(findings.lesions) == 1 and result.threshold == 0.3
    row = {name: result.get("table").GetTable().GetValueByName(0, name).ToString() for name in ("Lesion", "Side", "Structure", "Volume [ml]")}
    assert row == {"Lesion": "1", "Side": "left", "Structure": "cerebral white matter", "Volume [ml]": f"{findings.lesions[0].volume_ml:g}"}
    display = result.get("anomaly_map").GetDisplayNode()
    assert display.GetWindowLevelMax() == pytest.approx(0.6) and display.GetLowerThreshold() == pytest.approx(0.15)
    assert threshold.move(0.1, smallest_mm3=1e4).lesions == () and not the_mask(result).any()


def test_hand_edit_is_kept_beside_the_mask_that_the_threshold_makes(desk, result):
    threshold = LiveThreshold(result)
    threshold.move(0.15)
    mine, edited = result.get("mask"), edit(result)
    findings = threshold.move(0.3)
    assert result.get("mask") is not mine and "(edited)" in mine.GetName()
    np.testing.assert_array_equal(mask_of(mine, result.get("anomaly_map")), edited)
    np.testing.assert_array_equal(the_mask(result), findings.mask())
    assert folder_of(desk.scene, result.get("mask")) == folder_of(desk.scene, mine) == result.name
    replaced = result.get("mask")
    threshold.move(0.2)
    assert result.get("mask") is replaced


def test_edit_made_before_the_threshold_is_prepared_is_kept_too(result):
    LiveThreshold(result)
    mine, edited = result.get("mask"), edit(result)
    LiveThreshold(result).move(0.3)
    assert result.get("mask") is not mine
    np.testing.assert_array_equal(mask_of(mine, result.get("anomaly_map")), edited)


def test_lesion_that_is_left_out_in_the_table_leaves_the_mask(result):
    threshold = LiveThreshold(result)
    whole = the_mask(result)
    set_kept(result.get("table"), 1, False)
    assert left_out(result.get("table")) == {1}
    threshold.apply_kept()
    np.testing.assert_array_equal(the_mask(result), threshold.findings.mask(without={1}))
    assert 0 < the_mask(result).sum() < whole.sum()
    set_kept(result.get("table"), 1, True)
    threshold.apply_kept()
    np.testing.assert_array_equal(the_mask(result), whole)


def test_result_for_a_scene_that_was_closed_is_refused_and_nothing_is_added(desk, delivery):
    scan = desk.load(delivery.scan)
    desk.scene.Clear(False)
    for gone in (scan, None):
        before = desk.scene.GetNumberOfNodes()
        with pytest.raises(SceneError, match="not in the scene any more"):
            add_result(desk.scene, gone, delivery.files, delivery.report)
        assert desk.scene.GetNumberOfNodes() == before
    again = add_result(desk.scene, desk.load(delivery.scan), delivery.files, delivery.report)
    assert again.is_alive and results_in(desk.scene) == [again]


def test_closed_scene_takes_the_result_away(desk, result):
    threshold = LiveThreshold(result)
    desk.scene.Clear(False)
    assert not result.is_alive and results_in(desk.scene) == []
    with pytest.raises(SceneError, match="run the detection again"):
        threshold.move(0.2)


@pytest.mark.parametrize("fault", ["missing", "broken", "other grid"])
def test_files_that_cannot_be_used_add_nothing(desk, delivery, tmp_path, fault):
    files = dict(delivery.files)
    if fault == "missing":
        del files["anomaly_map"]
    elif fault == "broken":
        files["reconstruction"] = tmp_path / "reconstruction.nii.gz"
        files["reconstruction"].write_bytes(b"no volume")
    else:
        files["mask"] = tmp_path / "mask.nii.gz"
        sitk.WriteImage(sitk.Image([4, 5, 6], sitk.sitkUInt8), str(files["mask"]))
    scan = desk.load(delivery.scan)
    names = {desk.scene.GetNthNode(index).GetName() for index in range(desk.scene.GetNumberOfNodes())}
    with pytest.raises(SceneError):
        add_result(desk.scene, scan, files, delivery.report)
    left = {desk.scene.GetNthNode(index).GetName() for index in range(desk.scene.GetNumberOfNodes())} - names
    assert not {name for name in left if "anomaly" in name.lower()} and results_in(desk.scene) == []


def test_the_servers_detection_and_the_scene_agree_voxel_for_voxel(desk, tiny_model, oblique_scan, tmp_path):
    detector = Detector.load(tiny_model)
    detection = detector.detect(oblique_scan, threshold=0.02)
    files = write_detection(detection, tmp_path / "result")
    result = add_result(desk.scene, desk.load(oblique_scan), files, detection.report)
    threshold = LiveThreshold(result)
    assert the_mask(result).any()
    for value in (0.02, 0.03, detector.thresholds["synthetic_dice"]):
        other = detector.rethreshold(detection, value)
        findings = threshold.move(value)
        np.testing.assert_array_equal(the_mask(result), sitk.GetArrayFromImage(other.mask))
        assert [one.place for one in findings.lesions] == [one.place for one in other.lesions]
        assert [one.number for one in findings.lesions] == [one.label for one in other.lesions]
    values = array_of(result.get("anomaly_map"))
    assert AnomalyMap(values, ijk_to_ras(result.get("anomaly_map"))).voxel_mm3 == pytest.approx(np.prod(detection.scan.GetSpacing()), rel=1e-6)
