"""The panel: Qt on one side, the parts below on the other. One file for each section of the `.ui`.

A property of a widget is read by `widget.property("text")`: as an attribute it would be one in PythonQt and a method in PySide6,
with which the panel is tested. It is written by `widget.setProperty("minimum", 0)` where its setter is no slot: of the widgets of
CTK and Slicer, PythonQt has slots, invokables, and properties only.
"""

from .application import Application
from .panel import Panel

__all__ = ["Application", "Panel"]
