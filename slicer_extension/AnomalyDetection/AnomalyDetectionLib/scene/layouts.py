"""The comparing layouts in the scene: a row for each orientation, all views at one position."""

from __future__ import annotations

import slicer
import vtk

from ..views import MAP, ORIENTATIONS, RECONSTRUCTION, SCAN, Layout, make_known, view_name
from .nodes import nodes_of


def apply(scene: slicer.vtkMRMLScene, layout: Layout) -> None:
    """Show a layout; the application makes its views."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode") or scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    make_known(scene)
    node.SetViewArrangement(layout.value)


def slice_nodes(scene: slicer.vtkMRMLScene, column: str | None = None) -> list[slicer.vtkMRMLSliceNode]:
    """The slice nodes of the comparing views that there are, of one column or of all."""
    columns = (SCAN, RECONSTRUCTION, MAP) if column is None else (column,)
    names = {view_name(orientation, one) for orientation in ORIENTATIONS for one in columns}
    return [node for node in nodes_of(scene, "vtkMRMLSliceNode") if node.GetLayoutName() in names]


def composite_nodes(scene: slicer.vtkMRMLScene, column: str) -> list[slicer.vtkMRMLSliceCompositeNode]:
    """What says which volumes the views of a column show."""
    names = {view_name(orientation, column) for orientation in ORIENTATIONS}
    return [node for node in nodes_of(scene, "vtkMRMLSliceCompositeNode") if node.GetLayoutName() in names]


def every_slice_node(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceNode]:
    """Those of the comparing views and all others."""
    return nodes_of(scene, "vtkMRMLSliceNode")


def is_in_view(node: slicer.vtkMRMLSliceNode, ras: tuple[float, float, float]) -> bool:
    """Whether a point of the slice, or in front of it, lies within the edges of the view."""
    to_pixels = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(node.GetXYToRAS(), to_pixels)
    x, y, _, _ = to_pixels.MultiplyPoint((*ras, 1.0))
    width, height, _ = node.GetDimensions()
    return 0 <= x < width and 0 <= y < height


def views_but(scene: slicer.vtkMRMLScene, *columns: str) -> list[str]:
    """Ids of all slice and 3-D views but those of these columns."""
    without = {node.GetID() for column in columns for node in slice_nodes(scene, column)}
    every = [*nodes_of(scene, "vtkMRMLSliceNode"), *nodes_of(scene, "vtkMRMLViewNode")]
    return [node.GetID() for node in every if node.GetID() not in without]
