"""The two comparing layouts in Slicer's language, which the application has to know before a scene with one of them is loaded."""

from __future__ import annotations

from enum import Enum
from typing import Any

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


def make_known(scene: Any) -> None:
    """Tell the application both layouts, as soon as it has any."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    for layout in () if node is None else Layout:
        if not node.IsLayoutDescription(layout.value):
            node.AddLayoutDescription(layout.value, description(layout))


def view_name(orientation: str, column: str) -> str:
    """The layout name of one view."""
    return f"Anomaly{orientation}{column}"


def description(layout: Layout) -> str:
    """A layout in Slicer's language."""
    rows = "".join(_row(orientation, colour, layout.columns) for orientation, colour in ORIENTATIONS.items())
    return f'<layout type="vertical">{rows}</layout>'


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
