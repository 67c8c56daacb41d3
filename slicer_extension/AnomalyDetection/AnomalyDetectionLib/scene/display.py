"""How results look: the heat map over the scan, the outline of the examined region, the same window for scan and reconstruction."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import slicer

from ..pictures import FAINTEST, heat_colors
from .result import EXAMINED, MASK, MODEL_OUTPUT, RECONSTRUCTION, SCAN, Result

HEAT = "AnomalyDetectionHeat"


def show_heat(score_map: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> None:
    """Colour an anomaly map by its threshold: the middle of the scale is the threshold, and below half of it nothing is drawn."""
    display = _display(score_map)
    display.SetAndObserveColorNodeID(_heat_colours(score_map.GetScene()).GetID())
    display.SetWindowLevelMinMax(0.0, 2.0 * threshold)
    display.SetAutoThreshold(False)
    display.SetThreshold(FAINTEST * threshold, float(np.finfo(np.float32).max))
    display.SetApplyThreshold(True)
    display.SetInterpolate(True)


def show_alike(result: Result) -> None:
    """Give reconstructions the window of the scan, so that a difference in grey is a difference."""
    scan = result.get(SCAN)
    if scan is None:
        return
    if scan.GetDisplayNode() is None:
        scan.CreateDefaultDisplayNodes()
    window = scan.GetDisplayNode()
    if window.GetAutoWindowLevel():
        # Of these two, and not anew for each volume.
        low, high = window.GetWindowLevelMin(), window.GetWindowLevelMax()
        window.SetAutoWindowLevel(False)
        window.SetWindowLevelMinMax(low, high)
    for role in (RECONSTRUCTION, MODEL_OUTPUT):
        if (node := result.get(role)) is not None:
            display = _display(node)
            display.SetWindowLevelMinMax(window.GetWindowLevelMin(), window.GetWindowLevelMax())


def show_mask(result: Result, opacity: float = 0.4) -> None:
    """Fill and outline the mask; the opacity is that of the filling, 0–1, and the outline stays."""
    if (mask := result.get(MASK)) is not None:
        display = mask.GetDisplayNode()
        display.SetVisibility(True)
        display.SetVisibility2DFill(True)
        display.SetVisibility2DOutline(True)
        display.SetOpacity2DFill(opacity)


def show_examined(result: Result, visible: bool = True) -> None:
    """Outline where an anomaly could have been found."""
    if (examined := result.get(EXAMINED)) is not None:
        display = examined.GetDisplayNode()
        display.SetVisibility(visible)
        display.SetVisibility2DFill(False)
        display.SetVisibility2DOutline(True)
        display.SetVisibility3D(False)


def show_like(node: slicer.vtkMRMLSegmentationNode, other: slicer.vtkMRMLSegmentationNode) -> None:
    """Show a segmentation as another is shown, and in the same views."""
    display, model = node.GetDisplayNode(), other.GetDisplayNode()
    display.CopyContent(model)
    for index in range(model.GetNumberOfViewNodeIDs()):
        display.AddViewNodeID(model.GetNthViewNodeID(index))


def hide(result: Result) -> None:
    """Take the mask and the outline of a result out of every view."""
    for role in (MASK, EXAMINED):
        if (node := result.get(role)) is not None:
            node.GetDisplayNode().SetVisibility(False)


def show_only_in(result: Result, role: str, views: Iterable[str]) -> None:
    """Say which view nodes show the mask or the outline, by their ids."""
    if (node := result.get(role)) is not None:
        display = node.GetDisplayNode()
        display.RemoveAllViewNodeIDs()
        for view in views:
            display.AddViewNodeID(view)


def _display(volume: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeDisplayNode:
    """That of a volume whose window is given, so that none is looked for in its histogram, which would take the longest."""
    if volume.GetDisplayNode() is None:
        display = slicer.vtkMRMLScalarVolumeDisplayNode()
        display.SetAutoWindowLevel(False)
        volume.GetScene().AddNode(display)
        display.SetDefaultColorMap()
        volume.SetAndObserveDisplayNodeID(display.GetID())
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    return volume.GetDisplayNode()


def _heat_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The one colour table of a scene for anomaly maps."""
    node = scene.GetSingletonNode(HEAT, "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = scene.CreateNodeByClass("vtkMRMLColorTableNode")
    node.UnRegister(None)
    node.SetSingletonTag(HEAT)
    node.SetName("Anomaly score")
    node.SetTypeToUser()
    node.SetHideFromEditors(True)
    node.SetNumberOfColors(256)
    for index, color in enumerate(heat_colors(256)):
        node.SetColor(index, f"{index}", *map(float, color), 1.0)
    return scene.AddNode(node)
