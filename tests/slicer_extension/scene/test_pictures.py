"""What the layouts show, looked at pixel by pixel."""

import numpy as np
import pytest
from AnomalyDetectionLib.scene import RECONSTRUCTIONS, Layout, LiveThreshold, add_result
from slicer_scene import View

ORIENTATIONS = ("Axial", "Sagittal", "Coronal")


def pixel(view, ras):
    """Column and row of a point in a view, and its distance from the slice in millimetres."""
    matrix = np.array([[view.node.GetXYToRAS().GetElement(row, column) for column in range(4)] for row in range(4)])
    x, y, depth, _ = np.linalg.inv(matrix) @ [*ras, 1]
    return int(round(x)), int(round(y)), abs(depth)


def reddish(picture):
    """Where the mask's filling is: red over grey."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return (red > green + 25) & (abs(green - blue) < 12)


def coloured(picture):
    """Where anything but grey is."""
    return picture.max(axis=-1).astype(int) - picture.min(axis=-1) > 12


@pytest.fixture
def shown(desk, result):
    """The first lesion in the layout of three columns."""
    LiveThreshold(result)
    comparison = desk.comparison()
    comparison.show(result, Layout.SCAN_RECONSTRUCTION_MAP)
    comparison.jump_to(0)
    return comparison


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_mask_is_where_the_lesion_is_and_nowhere_else(desk, shown, delivery, orientation):
    shown.show_examined(False)
    view, lesion = desk.views[f"Anomaly{orientation}Scan"], (delivery.ijk_to_ras() @ [*delivery.centres[0], 1])[:3]
    x, y, depth = pixel(view, lesion)
    picture = desk.picture(view.node.GetName())
    marked = reddish(picture)
    assert depth < 1 and marked[y - 3 : y + 4, x - 3 : x + 4].all()
    rows, columns = np.nonzero(coloured(picture))
    edges = [pixel(view, lesion + sign * 14 * np.eye(3)[axis]) for axis in range(3) for sign in (-1, 1)]
    assert rows.min() >= min(edge[1] for edge in edges) and rows.max() <= max(edge[1] for edge in edges)
    assert columns.min() >= min(edge[0] for edge in edges) and columns.max() <= max(edge[0] for edge in edges)
    # The reconstruction beside it has no mask, and no lesion either.
    beside = desk.picture(f"Anomaly{orientation}Reconstruction")
    assert not coloured(beside).any() and beside[y, x].mean() > picture[y, x].mean()


def test_all_views_are_at_the_same_position_and_scale(desk, shown):
    for orientation in ORIENTATIONS:
        views = [desk.views[f"Anomaly{orientation}{column}"].node for column in ("Scan", "Reconstruction", "Map")]
        assert len({round(view.GetSliceOffset(), 3) for view in views}) == 1
        assert len({tuple(np.round(view.GetFieldOfView(), 3)) for view in views}) == 1
    first, second = shown.result.get("table").GetTable(), desk.views["AnomalyAxialScan"].node.GetSliceOffset()
    assert first.GetNumberOfRows() == 2
    shown.jump_to(1)
    assert desk.views["AnomalyAxialScan"].node.GetSliceOffset() != second
    with pytest.raises(IndexError):
        shown.jump_to(2)


def test_lesion_that_lies_outside_a_view_is_brought_into_it(desk, shown, delivery):
    lesion = (delivery.ijk_to_ras() @ [*delivery.centres[1], 1])[:3]
    zoomed, whole = desk.views["AnomalyAxialScan"], desk.views["AnomalyCoronalScan"]
    for column in ("Scan", "Reconstruction", "Map"):
        desk.views[f"AnomalyAxial{column}"].node.SetFieldOfView(12, 10, 1)
    middle = pixel(whole, lesion)[:2]
    shown.jump_to(1)
    x, y, depth = pixel(zoomed, lesion)
    assert (abs(x - 120) < 3 and abs(y - 100) < 3) and depth < 1
    assert pixel(whole, lesion)[:2] == middle and pixel(whole, lesion)[2] < 1, "Where it is seen, nothing is shifted."


def test_views_of_an_orientation_scroll_together(desk, shown):
    moved, beside, other = (desk.views[f"Anomaly{name}"] for name in ("AxialScan", "AxialMap", "CoronalScan"))
    before = other.node.GetSliceOffset()
    moved.logic.StartSliceOffsetInteraction()
    moved.logic.SetSliceOffset(moved.node.GetSliceOffset() + 6)
    moved.logic.EndSliceOffsetInteraction()
    assert beside.node.GetSliceOffset() == pytest.approx(moved.node.GetSliceOffset())
    assert other.node.GetSliceOffset() == before


def test_heat_map_follows_threshold_and_opacity(desk, shown, delivery):
    shown.show_examined(False)
    view = desk.views["AnomalyAxialMap"]
    x, y, _ = pixel(view, (delivery.ijk_to_ras() @ [*delivery.centres[0], 1])[:3])
    hot = desk.picture("AnomalyAxialMap")
    assert coloured(hot)[y, x] and not coloured(hot)[y, x - 40]
    shown.set_heat_opacity(0.0)
    assert not coloured(desk.picture("AnomalyAxialMap"))[y - 3 : y + 4, x - 3 : x + 4].any()
    shown.set_heat_opacity(0.6)
    LiveThreshold(shown.result).move(0.39)
    warm = desk.picture("AnomalyAxialMap")
    assert (warm[y, x] != hot[y, x]).any(), "The scale is that of the threshold."


def test_outline_of_the_examined_region_can_be_seen_and_hidden(desk, shown):
    shown.set_mask_opacity(0.0)
    blue = desk.picture("AnomalySagittalScan").astype(int)
    outlined = blue[..., 2] > blue[..., 0] + 40
    assert 50 < outlined.sum() < 0.1 * outlined.size
    shown.show_examined(False)
    hidden = desk.picture("AnomalySagittalScan").astype(int)
    assert not (hidden[..., 2] > hidden[..., 0] + 40).any()


def test_fading_and_blinking_turn_the_scan_into_its_reconstruction(desk, shown, delivery):
    shown.show_examined(False)
    shown.set_mask_opacity(0.0)
    x, y, _ = pixel(desk.views["AnomalyAxialScan"], (delivery.ijk_to_ras() @ [*delivery.centres[0], 1])[:3])
    healthy = desk.picture("AnomalyAxialReconstruction")[y, x].mean()
    seen = []
    for share in (0.0, 0.5, 1.0):
        shown.fade(share)
        seen.append(desk.picture("AnomalyAxialScan")[y, x].mean())
    assert seen[0] < seen[1] < seen[2] == pytest.approx(healthy, abs=2)
    shown.blink()
    assert desk.picture("AnomalyAxialScan")[y, x].mean() == pytest.approx(seen[0], abs=2)
    shown.blink()
    assert desk.picture("AnomalyAxialScan")[y, x].mean() == pytest.approx(healthy, abs=2)


def test_composite_and_model_output_are_told_apart(desk, shown):
    composite, output = RECONSTRUCTIONS
    assert "composite" in shown.caption
    first = desk.picture("AnomalyAxialReconstruction")
    shown.show_reconstruction(output)
    assert "model output" in shown.caption and "composite" not in shown.caption
    second = desk.picture("AnomalyAxialReconstruction")
    assert second[100, 120].mean() < first[100, 120].mean(), "The model output of this delivery is darker."
    shown.show_reconstruction(composite)
    np.testing.assert_array_equal(desk.picture("AnomalyAxialReconstruction"), first)


def test_result_without_a_model_output_shows_the_composite_and_says_so(desk, delivery):
    files = {name: path for name, path in delivery.files.items() if name != "model_output"}
    comparison = desk.comparison()
    comparison.show(add_result(desk.scene, desk.load(delivery.scan), files, delivery.report))
    comparison.show_reconstruction(RECONSTRUCTIONS[1])
    assert "composite" in comparison.caption


def test_only_the_result_that_is_shown_is_marked(desk, shown, delivered, tmp_path):
    nothing = delivered(tmp_path / "nothing", lesions=())
    empty = add_result(desk.scene, shown.result.get("scan"), nothing.files, nothing.report)
    LiveThreshold(empty)
    earlier = shown.result
    shown.show(empty)
    shown.show_examined(False)
    assert not coloured(desk.picture("AnomalyAxialScan")).any()
    shown.show(earlier, Layout.SCAN_RECONSTRUCTION)
    shown.jump_to(0)
    assert reddish(desk.picture("AnomalyAxialScan")).any()
    assert desk.scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement() == Layout.SCAN_RECONSTRUCTION.value


def test_view_that_is_made_later_shows_the_mask_too(desk, shown):
    desk.views["Red"] = View(desk, "Red", "Axial", 0)
    shown.jump_to(0)
    assert reddish(desk.picture("Red")).any() and not coloured(desk.picture("AnomalyAxialReconstruction")).any()


def test_mask_in_place_of_an_edited_one_is_shown_where_that_was(desk, shown):
    mask = shown.result.get("mask")
    mask.GetSegmentation().RemoveAllSegments()
    LiveThreshold(shown.result).move(0.15)
    assert shown.result.get("mask") is not mask
    assert reddish(desk.picture("AnomalyAxialScan")).any() and not coloured(desk.picture("AnomalyAxialReconstruction")).any()


def test_empty_mask_marks_nothing(desk, delivered, tmp_path):
    nothing = delivered(tmp_path / "nothing", lesions=())
    comparison = desk.comparison()
    comparison.show(add_result(desk.scene, desk.load(nothing.scan), nothing.files, nothing.report))
    comparison.show_examined(False)
    for orientation in ORIENTATIONS:
        assert not coloured(desk.picture(f"Anomaly{orientation}Scan")).any()
