"""The nodes of a scene."""

from __future__ import annotations

import slicer


class SceneError(Exception):
    """The scene does not hold what is needed; the text is one sentence for the person at the keyboard."""


def nodes_of(scene: slicer.vtkMRMLScene, kind: str) -> list[slicer.vtkMRMLNode]:
    """Every node of a class, in the order in which they were added."""
    return [scene.GetNthNodeByClass(index, kind) for index in range(scene.GetNumberOfNodesByClass(kind))]
