"""The mask as a segment: one anomaly, with the codes and the colour that the server's DICOM SEG has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .volumes import array_of, write_volume

SEGMENT = "anomaly"
NAME = "Anomaly"
COLOUR = (1.0, 0.32, 0.32)
TERMINOLOGY = (
    "Segmentation category and type - DICOM master list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~^^"
    "~Anatomic codes - DICOM master list~SCT^12738006^Brain~^^"
)
BINARY = "Binary labelmap"


def new_segmentation(
    scene: slicer.vtkMRMLScene,
    name: str,
    grid: slicer.vtkMRMLVolumeNode,
    mask: np.ndarray,
    segment_name: str = NAME,
    colour: tuple[float, float, float] = COLOUR,
    terminology: str = TERMINOLOGY,
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation with one segment, which may be empty.

    Args:
        grid: volume on whose grid the mask is.
        mask: uint8 0/1 [K, J, I].
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(grid)
    segment = slicer.vtkSegment()
    segment.SetName(segment_name)
    segment.SetColor(*colour)
    if terminology:
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology)
    segment.AddRepresentation(BINARY, _oriented(mask, grid))
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName(BINARY)
    segmentation.AddSegment(segment, SEGMENT)
    return node


def paint(node: slicer.vtkMRMLSegmentationNode, mask: np.ndarray, grid: slicer.vtkMRMLVolumeNode) -> None:
    """Put another mask in place of the segment's, whose name, colour and codes stay; a segment that was deleted comes back."""
    if node.GetSegmentation().GetSegment(SEGMENT) is None:
        segment = slicer.vtkSegment()
        segment.SetName(NAME)
        segment.SetColor(*COLOUR)
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), TERMINOLOGY)
        segment.AddRepresentation(BINARY, _oriented(mask, grid))
        node.GetSegmentation().AddSegment(segment, SEGMENT)
        return
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(_oriented(mask, grid), node, SEGMENT)


def mask_of(node: slicer.vtkMRMLSegmentationNode, grid: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """All segments together on a volume's grid, uint8 0/1 [K, J, I]; whatever has been edited, added or moved counts."""
    with _labelmap(node, grid) as labels:
        return (array_of(labels) > 0).astype(np.uint8)


def state_of(node: slicer.vtkMRMLSegmentationNode) -> tuple[tuple[str, int], ...]:
    """Which segments there are and when their voxels were last changed: equal only while nobody has edited them."""
    segmentation = node.GetSegmentation()
    segments = [segmentation.GetNthSegment(index) for index in range(segmentation.GetNumberOfSegments())]
    voxels = [segment.GetRepresentation(BINARY) for segment in segments]
    return tuple((segment.GetName(), image.GetMTime() if image else 0) for segment, image in zip(segments, voxels))


def write_mask(node: slicer.vtkMRMLSegmentationNode, grid: slicer.vtkMRMLVolumeNode, path: Path) -> Path:
    """The same as a file, NRRD or NIfTI by the ending of the path.

    Raises:
        SceneError: the file cannot be written.
    """
    with _labelmap(node, grid) as labels:
        array_of(labels)[:] = array_of(labels) > 0
        return write_volume(labels, path)


@contextmanager
def _labelmap(node: slicer.vtkMRMLSegmentationNode, grid: slicer.vtkMRMLVolumeNode) -> Iterator[slicer.vtkMRMLLabelMapVolumeNode]:
    """All segments on a grid, in a node that goes again, with the colour table and the display that an export leaves behind."""
    scene = node.GetScene()
    before = _nodes(scene)
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels of the mask")
    identifiers = vtk.vtkStringArray()
    node.GetSegmentation().GetSegmentIDs(identifiers)
    try:
        if identifiers.GetNumberOfValues():
            extent = slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY
            slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(node, identifiers, labels, grid, extent)
        else:
            labels.SetAndObserveImageData(_oriented(np.zeros_like(array_of(grid), dtype=np.uint8), grid))
            labels.CopyOrientation(grid)
        yield labels
    finally:
        for left in _nodes(scene) - before:
            scene.RemoveNode(left)


def _nodes(scene: slicer.vtkMRMLScene) -> set[slicer.vtkMRMLNode]:
    return {scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())}


def _oriented(mask: np.ndarray, grid: slicer.vtkMRMLVolumeNode) -> slicer.vtkOrientedImageData:
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(mask.shape[::-1])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = mask.ravel()
    matrix = vtk.vtkMatrix4x4()
    grid.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    return image
