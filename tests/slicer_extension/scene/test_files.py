"""What leaves the scene and comes back: the scan to send, exported files, and a saved scene."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from AnomalyDetectionLib.pictures import axial
from AnomalyDetectionLib.scene import (
    LiveThreshold,
    SceneError,
    add_result,
    export,
    key_slices,
    left_out,
    results_in,
    scan_to_send,
    set_kept,
    write_mask_to_send,
)
from AnomalyDetectionLib.scene.hierarchy import folder_of
from AnomalyDetectionLib.scene.segmentation import mask_of
from AnomalyDetectionLib.scene.volumes import array_of, ijk_to_ras
from vtk.util.numpy_support import vtk_to_numpy


def put_under(scene, volume, matrix):
    """Move a volume by a linear transform."""
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    told = vtk.vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            told.SetElement(row, column, matrix[row][column])
    node.SetMatrixTransformToParent(told)
    volume.SetAndObserveTransformNodeID(node.GetID())


def turned():
    """A turn about an oblique axis, and a shift."""
    turn = sitk.VersorTransform((1.0, 2.0, 3.0), 0.4)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3))
    matrix[:3, 3] = (12, -7, 30)
    return matrix


def warp(volume, displacements):
    """Put a volume under a grid of displacements."""
    grid = vtk.vtkImageData()
    grid.SetDimensions(10, 10, 10)
    grid.SetSpacing(30, 30, 30)
    grid.SetOrigin(-150, -150, -150)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    vtk_to_numpy(grid.GetPointData().GetScalars())[:] = displacements
    shift = slicer.vtkOrientedGridTransform()
    shift.SetDisplacementGridData(grid)
    node = volume.GetScene().AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    node.SetAndObserveTransformToParent(shift)
    volume.SetAndObserveTransformNodeID(node.GetID())


def test_scan_is_sent_as_it_is(desk, delivery, geometry, tmp_path):
    sent = sitk.ReadImage(str(scan_to_send(desk.load(delivery.scan), tmp_path / "scan.nrrd")))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sent), delivery.voxels("scan"))
    np.testing.assert_allclose(geometry(sent), delivery.ijk_to_ras(), atol=1e-5)


def test_scan_under_a_transform_is_sent_where_it_stands_and_its_result_lies_there(desk, delivery, geometry, tmp_path):
    scan, moved = desk.load(delivery.scan), turned()
    put_under(desk.scene, scan, moved)
    before = desk.scene.GetNumberOfNodes()
    sent = sitk.ReadImage(str(scan_to_send(scan, tmp_path / "scan.nrrd")))
    assert desk.scene.GetNumberOfNodes() == before and scan.GetParentTransformNode() is not None
    np.testing.assert_allclose(ijk_to_ras(scan), delivery.ijk_to_ras(), atol=1e-5)
    expected = moved @ delivery.ijk_to_ras()
    np.testing.assert_allclose(geometry(sent), expected, atol=1e-5)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sent), delivery.voxels("scan"))

    # The server answers on the grid of what it was sent.
    files = {}
    for name in delivery.files:
        image = delivery.image(name)
        image.CopyInformation(sent)
        files[name] = tmp_path / f"{name}.nii.gz"
        sitk.WriteImage(image, str(files[name]))
    result = add_result(desk.scene, scan, files, delivery.report)
    lesion = LiveThreshold(result).findings.lesions[0]
    np.testing.assert_allclose(lesion.centroid_ras, (expected @ [*delivery.centres[0], 1])[:3], atol=0.06)
    back = sitk.ReadImage(str(write_mask_to_send(result, tmp_path / "back.nrrd")))
    np.testing.assert_allclose(geometry(back), expected, atol=1e-4)


def test_scan_under_a_warp_is_sent_warped(desk, delivery, tmp_path):
    scan = desk.load(delivery.scan)
    # The same everywhere, so that it is known where the scan goes.
    warp(scan, (4, 0, -2))
    centres = []
    for image in (delivery.image("scan"), sitk.ReadImage(str(scan_to_send(scan, tmp_path / "scan.nrrd")))):
        middle = np.argwhere(sitk.GetArrayFromImage(image) > 0).mean(0)[::-1]
        centres.append(image.TransformContinuousIndexToPhysicalPoint(middle.tolist()))
    np.testing.assert_allclose(np.subtract(*centres[::-1]), (-4, 0, -2), atol=0.3)


def pictures_of(result, monkeypatch):
    """What of each title is drawn in the report, the first lesion's."""
    drawn = []
    monkeypatch.setattr(key_slices, "picture", lambda values, *arguments, **more: drawn.append(values) or np.zeros((2, 2, 3), np.uint8))
    slices = key_slices.key_slices(result, LiveThreshold(result).findings.lesions[:1])
    return {one.caption.partition(": ")[2]: values for one, values in zip(slices, drawn)}


def test_report_shows_a_scan_under_a_warp_as_it_was_examined(desk, delivery, tmp_path, monkeypatch):
    scan = desk.load(delivery.scan)
    warp(scan, np.random.default_rng(0).normal(0, 5, (1000, 3)))
    sent = sitk.ReadImage(str(scan_to_send(scan, tmp_path / "scan.nrrd")))
    assert sitk.GetArrayFromImage(sent).shape != array_of(scan).shape
    files = {}
    for name in delivery.files:
        files[name] = tmp_path / f"{name}.nii.gz"
        sitk.WriteImage(sitk.Resample(delivery.image(name), sent, sitk.Transform(), sitk.sitkNearestNeighbor), str(files[name]))
    result = add_result(desk.scene, scan, files, delivery.report)
    drawn = pictures_of(result, monkeypatch)
    turned = axial(sitk.GetArrayFromImage(sent), ijk_to_ras(result.get("anomaly_map")))[0]
    assert any(np.array_equal(drawn["scan"], one) for one in turned)
    assert desk.scene.GetFirstNodeByName("scan as it stands") is None


def test_report_without_its_scan_calls_no_reconstruction_a_scan(desk, result, monkeypatch):
    desk.scene.RemoveNode(result.get("scan"))
    assert [title.split(" (")[0] for title in pictures_of(result, monkeypatch)] == ["healthy reconstruction", "anomaly map"]


def test_scan_that_a_transform_shears_is_not_sent(desk, delivery, tmp_path):
    scan, shear = desk.load(delivery.scan), np.eye(4)
    shear[0, 1] = 0.2
    put_under(desk.scene, scan, shear)
    before = desk.scene.GetNumberOfNodes()
    with pytest.raises(SceneError, match="shears"):
        scan_to_send(scan, tmp_path / "scan.nrrd")
    assert desk.scene.GetNumberOfNodes() == before and list(tmp_path.glob("*.nrrd")) == []


def test_volume_without_voxels_is_not_sent(desk, tmp_path):
    with pytest.raises(SceneError, match="no voxels"):
        scan_to_send(desk.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"), tmp_path / "scan.nrrd")


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_export_writes_what_is_shown_on_the_scans_grid(result, delivery, geometry, tmp_path, ending):
    threshold = LiveThreshold(result)
    threshold.move(0.05)
    set_kept(result.get("table"), 2, False)
    threshold.apply_kept()
    files = {path.name: path for path in export(result, tmp_path / "out", ending)}
    names = ("mask", "examined", "anomaly_map", "reconstruction", "model_output")
    assert set(files) == {*(f"{name}{ending}" for name in names), "lesions.csv"}
    images = {name: sitk.ReadImage(str(files[f"{name}{ending}"])) for name in names}
    for name, image in images.items():
        np.testing.assert_allclose(geometry(image), delivery.ijk_to_ras(), atol=1e-4)
        expected = threshold.findings.mask(without={2}) if name == "mask" else delivery.voxels(name)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), expected)
    with files["lesions.csv"].open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Kept"], row["Lesion"]) for row in rows] == [("1", "1"), ("0", "2")]
    assert rows[0]["Threshold"] == "0.05" and rows[0]["Model"] == "uma_ddpm" and "Research use only" in rows[0]["Notice"]
    assert float(rows[0]["Peak score"]) == pytest.approx(0.4) and rows[0]["Side"] == "left"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)


def test_export_says_why_it_cannot(result, tmp_path):
    with pytest.raises(SceneError, match="not as .stl"):
        export(result, tmp_path, ".stl")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SceneError, match="file cannot be made"):
        export(result, tmp_path / "file")


def test_export_leaves_no_node_behind(desk, result, tmp_path):
    before = desk.scene.GetNumberOfNodes()
    export(result, tmp_path / "out")
    assert desk.scene.GetNumberOfNodes() == before


def test_saved_scene_has_its_results_when_it_is_loaded_again(desk, make_desk, result, delivery, tmp_path):
    threshold = LiveThreshold(result)
    threshold.move(0.05)
    set_kept(result.get("table"), 2, False)
    threshold.apply_kept()
    mask = mask_of(result.get("mask"), result.get("anomaly_map"))
    saved = tmp_path / "saved.mrb"
    assert desk.scene.WriteToMRB(str(saved))

    other = make_desk()
    assert other.scene.ReadFromMRB(str(saved))
    (again,) = results_in(other.scene)
    assert again.is_alive and again.threshold == 0.05 and again.report == result.report and again.name == result.name
    grid = again.get("anomaly_map")
    np.testing.assert_array_equal(mask_of(again.get("mask"), grid), mask)
    np.testing.assert_allclose(ijk_to_ras(grid), delivery.ijk_to_ras(), atol=1e-4)
    for role in ("anomaly_map", "reconstruction", "model_output", "structures"):
        np.testing.assert_array_equal(array_of(again.get(role)), delivery.voxels(role))
    assert again.get("scan").GetName() == "scan" and folder_of(other.scene, again.get("mask")) == again.name
    assert again.get("table").GetTable().GetNumberOfRows() == 2 and left_out(again.get("table")) == {2}

    followed = LiveThreshold(again)
    assert followed.findings.lesions == threshold.findings.lesions
    mine = again.get("mask")
    findings = followed.move(0.3)
    assert again.get("mask") is mine, "Loading is no edit."
    np.testing.assert_array_equal(mask_of(mine, grid), findings.mask())
    segment = mine.GetSegmentation().GetNthSegment(0)
    told = vtk.reference("")
    assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), told) and "SCT^4147007^Mass" in str(told)
