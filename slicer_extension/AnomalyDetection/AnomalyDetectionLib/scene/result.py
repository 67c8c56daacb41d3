"""One detection in the scene: its nodes, beside the scan they belong to, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from . import hierarchy
from .nodes import SceneError, nodes_of
from .segmentation import new_segmentation
from .volumes import array_of, read_volume

MARK = "AnomalyDetectionResult"
NOTICE = "Research use only. Not a medical device, not for diagnosis."
SCAN, MASK, TABLE, EXAMINED = "scan", "mask", "table", "examined"
ANOMALY_MAP, RECONSTRUCTION, MODEL_OUTPUT, STRUCTURES = "anomaly_map", "reconstruction", "model_output", "structures"
EXAMINED_COLOUR = (0.35, 0.75, 0.95)
TITLES = {
    RECONSTRUCTION: "healthy reconstruction (composite of scan and model)",
    MODEL_OUTPUT: "healthy reconstruction (model output, at the model's resolution)",
    ANOMALY_MAP: "anomaly map",
    STRUCTURES: "structures",
}
"""What the volumes are called wherever they are shown: a composite is never shown as what the model made."""


class Result:
    """A detection, kept in the scene by a node that refers to the others, so that it is saved and loaded with it.

    Args:
        node: of an earlier result, see `results_in`; `add_result` makes new ones.
    """

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self.node is other.node

    def __hash__(self) -> int:
        return hash(self.node)

    @property
    def name(self) -> str:
        return self.node.GetName()

    @property
    def is_alive(self) -> bool:
        """Whether its nodes are still in a scene; closing the scene takes them away."""
        return self.node.GetScene() is not None and self.get(ANOMALY_MAP) is not None and self.get(MASK) is not None

    @property
    def report(self) -> dict[str, Any]:
        """As the server wrote it."""
        return json.loads(self.node.GetParameter("report") or "{}")

    @property
    def threshold(self) -> float:
        """At which the mask was last made."""
        return float(self.node.GetParameter("threshold"))

    @property
    def not_examined(self) -> str:
        """What share of the brain could not be examined, in words."""
        share = self.report.get("not_examined_percent")
        return "examined region" if share is None else f"not examined: {share:g} % of the brain"

    def get(self, role: str) -> Any:
        """The node of a role (`mask`, `anomaly_map`, …), or None where the result has none, or it was deleted."""
        return self.node.GetNodeReference(role)

    def require(self, role: str) -> Any:
        """The same, where it is needed.

        Raises:
            SceneError: it is not there.
        """
        node = self.get(role)
        if node is None:
            raise SceneError(f"{self.name} has no {TITLES.get(role, role)} any more; run the detection again.")
        return node

    def set(self, role: str, node: slicer.vtkMRMLNode | None) -> None:
        """Let a role be played by this node."""
        self.node.SetNodeReferenceID(role, node.GetID() if node else None)

    def note(self, **facts: str) -> None:
        """Keep texts with the result."""
        for name, value in facts.items():
            self.node.SetParameter(name, value)

    def noted(self, name: str) -> str:
        return self.node.GetParameter(name) or ""


def add_result(
    scene: slicer.vtkMRMLScene, scan: slicer.vtkMRMLScalarVolumeNode | None, files: Mapping[str, Path], report: Mapping[str, Any]
) -> Result:
    """Bring a detection into the scene, beside its scan; earlier results stay as they are.

    Args:
        scan: that was sent; None, or of another scene, where the scene was closed meanwhile.
        files: of the result by name, at least `mask` and `anomaly_map`.
        report: of the server.

    Raises:
        SceneError: the scan is gone, or a file is missing or cannot be read; then nothing is added.
    """
    if scan is None or scan.GetScene() is not scene:
        raise SceneError("The scan of this result is not in the scene any more, so the result is not shown.")
    if missing := [name for name in (MASK, ANOMALY_MAP) if name not in files]:
        raise SceneError(f"The server sent no {' and no '.join(missing)}.")
    number = 1 + max((int(result.noted("number") or 0) for result in results_in(scene)), default=0)
    added: list[slicer.vtkMRMLNode] = []
    try:
        return _added(scene, scan, files, report, number, added)
    except BaseException:
        for node in added:
            scene.RemoveNode(node)
        raise


def results_in(scene: slicer.vtkMRMLScene, scan: slicer.vtkMRMLScalarVolumeNode | None = None) -> list[Result]:
    """Every result of a scene, the oldest first; only those of one scan, where it is given."""
    results = [Result(node) for node in nodes_of(scene, "vtkMRMLScriptedModuleNode") if node.GetAttribute("ModuleName") == MARK]
    return [result for result in results if scan is None or result.get(SCAN) is scan]


def first_scan(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The first volume that may be examined: no label map, nothing that is hidden, and nothing that a detection made."""
    made = {result.get(role) for result in results_in(scene) for role in (ANOMALY_MAP, RECONSTRUCTION, MODEL_OUTPUT, STRUCTURES)}
    volumes = [node for node in nodes_of(scene, "vtkMRMLScalarVolumeNode") if node.GetClassName() == "vtkMRMLScalarVolumeNode"]
    return next((node for node in volumes if node not in made and not node.GetHideFromEditors()), None)


def _added(
    scene: slicer.vtkMRMLScene,
    scan: slicer.vtkMRMLScalarVolumeNode,
    files: Mapping[str, Path],
    report: Mapping[str, Any],
    number: int,
    added: list[slicer.vtkMRMLNode],
) -> Result:
    def keep(role: str, node: slicer.vtkMRMLNode) -> Any:
        added.append(node)
        result.set(role, node)
        return node

    title = f"{scan.GetName()} anomaly {number}"
    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", title)
    added.append(node)
    node.SetAttribute("ModuleName", MARK)
    node.SetHideFromEditors(True)
    result = Result(node)
    result.set(SCAN, scan)
    result.note(number=str(number), report=json.dumps(dict(report)), threshold=repr(float(report["threshold"]["value"])))
    for role in (ANOMALY_MAP, RECONSTRUCTION, MODEL_OUTPUT, STRUCTURES):
        if role in files:
            keep(role, read_volume(scene, files[role], f"{title}: {TITLES[role]}"))
    if result.get(STRUCTURES) is not None:
        result.get(STRUCTURES).SetHideFromEditors(True)
    grid = result.get(ANOMALY_MAP)
    keep(MASK, new_segmentation(scene, f"{title}: mask", grid, _mask(scene, files[MASK], grid)))
    if EXAMINED in files:
        mask, name = _mask(scene, files[EXAMINED], grid), f"{title}: {result.not_examined}"
        keep(EXAMINED, new_segmentation(scene, name, grid, mask, "Examined", EXAMINED_COLOUR, ""))
    keep(TABLE, scene.AddNewNodeByClass("vtkMRMLTableNode", f"{title}: lesions"))
    hierarchy.place(scene, scan, title, [one for one in added if one is not node and one is not result.get(STRUCTURES)])
    return result


def _mask(scene: slicer.vtkMRMLScene, path: Path, grid: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The voxels of a mask file, which has to be on the grid of the others."""
    node = read_volume(scene, path, "mask as it came")
    try:
        mask = (array_of(node) > 0).astype(np.uint8)
    finally:
        scene.RemoveNode(node)
    if mask.shape != array_of(grid).shape:
        raise SceneError("Mask and anomaly map of the server have different grids.")
    return mask
