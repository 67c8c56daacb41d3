"""Two layouts for comparing a scan with its healthy reconstruction: a row for each orientation, all views at one position."""

from __future__ import annotations

from enum import Enum

import slicer
import vtk

from .nodes import nodes_of

GROUP = 47
"""View group of all comparing views: views of one orientation in it scroll and zoom together."""
ORIENTATIONS = {"Axial": "#F34A33", "Sagittal": "#EDD54C", "Coronal": "#6EB04B"}
SCAN, RECONSTRUCTION, MAP = "Scan", "Reconstruction", "Map"


class Layout(Enum):
    """What stands side by side; the value is the number of the layout in Slicer."""

    SCAN_RECONSTRUCTION = 4731
    SCAN_RECONSTRUCTION_MAP = 4732

    @property
    def columns(self) -> tuple[str, ...]:
        return (SCAN, RECONSTRUCTION) if self is Layout.SCAN_RECONSTRUCTION else (SCAN, RECONSTRUCTION, MAP)


def view_name(orientation: str, column: str) -> str:
    """The layout name of one view."""
    return f"Anomaly{orientation}{column}"


def description(layout: Layout) -> str:
    """A layout in Slicer's language."""
    rows = "".join(_row(orientation, colour, layout.columns) for orientation, colour in ORIENTATIONS.items())
    return f'<layout type="vertical">{rows}</layout>'


def apply(scene: slicer.vtkMRMLScene, layout: Layout) -> None:
    """Show a layout; the application makes its views."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    for one in Layout:
        if not node.IsLayoutDescription(one.value):
            node.AddLayoutDescription(one.value, description(one))
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


def _row(orientation: str, colour: str, columns: tuple[str, ...]) -> str:
    views = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{view_name(orientation, column)}">'
        f'<property name="orientation" action="default">{orientation}</property>'
        f'<property name="viewlabel" action="default">{orientation[0]} {column.lower()}</property>'
        f'<property name="viewcolor" action="default">{colour}</property>'
        f'<property name="viewgroup" action="default">{GROUP}</property>'
        "</view></item>"
        for column in columns
    )
    return f'<item><layout type="horizontal">{views}</layout></item>'
