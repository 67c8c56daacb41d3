"""Volumes between files, nodes and arrays, with their geometry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .nodes import SceneError

LARGEST_SHEAR = 1e-3
"""How far the axes of a volume may be from perpendicular, as the product of their directions."""


def read_volume(scene: slicer.vtkMRMLScene, path: Path, name: str, kind: str = "vtkMRMLScalarVolumeNode") -> slicer.vtkMRMLVolumeNode:
    """A volume file as a node, with the geometry that the file says.

    The node forgets the file, so that saving the scene writes its voxels instead of naming a temporary file.

    Raises:
        SceneError: the file cannot be read.
    """
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetCenterImage(False)
    storage.SetUseOrientationFromFile(True)
    node = scene.AddNewNodeByClass(kind, name)
    if not storage.ReadData(node) or node.GetImageData() is None:
        scene.RemoveNode(node)
        raise SceneError(f"{path.name} cannot be read as a volume.")
    return node


def write_volume(node: slicer.vtkMRMLVolumeNode, path: Path) -> Path:
    """A volume as NRRD or NIfTI, by the ending of the path; transforms of the node play no part.

    Raises:
        SceneError: the file cannot be written.
    """
    nrrd = path.suffix == ".nrrd"
    storage = slicer.vtkMRMLNRRDStorageNode() if nrrd else slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(True)
    if not path.parent.is_dir() or not storage.WriteData(node):
        raise SceneError(f"{path.name} cannot be written to {path.parent}.")
    return path


def array_of(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The voxels of a volume, [K, J, I]; a view, not a copy."""
    image = node.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """From (i, j, k, 1) to millimetres of the node's own space, 4 x 4."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def scan_to_send(scan: slicer.vtkMRMLScalarVolumeNode, path: Path) -> Path:
    """Write a scan where it stands in the world: its transforms applied, the node itself unchanged.

    What comes back for this file lies in the world and needs no transform. NRRD keeps the geometry in double precision.

    Raises:
        SceneError: the scan is empty, or its transforms leave axes that are not perpendicular.
    """
    if scan.GetImageData() is None or 0 in scan.GetImageData().GetDimensions():
        raise SceneError(f"{scan.GetName()} holds no voxels.")
    with as_it_stands(scan) as standing:
        return write_volume(_perpendicular(standing), path)


@contextmanager
def as_it_stands(scan: slicer.vtkMRMLScalarVolumeNode) -> Iterator[slicer.vtkMRMLScalarVolumeNode]:
    """A scan with its transforms applied, in a node that goes again; the scan itself where it has none.

    A transform that is not linear resamples the scan, any other moves it.

    Raises:
        SceneError: the transforms cannot be applied.
    """
    if scan.GetParentTransformNode() is None:
        yield scan
        return
    scene = scan.GetScene()
    copy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{scan.GetName()} as it stands")
    try:
        copy.SetHideFromEditors(True)
        copy.CopyContent(scan, False)
        copy.SetAndObserveTransformNodeID(scan.GetTransformNodeID())
        if not copy.HardenTransform():
            raise SceneError(f"The transform of {scan.GetName()} cannot be applied.")
        yield copy
    finally:
        scene.RemoveNode(copy)


def _perpendicular(scan: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLVolumeNode:
    axes = ijk_to_ras(scan)[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > LARGEST_SHEAR:
        raise SceneError(f"The transform of {scan.GetName()} shears it; resample it first (Resample Scalar/Vector/DWI Volume).")
    return scan
