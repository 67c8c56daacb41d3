"""The threshold of a result, moved while one looks: mask, table and heat map follow."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import slicer

from ..lesions import SMALLEST_LESION_MM3, AnomalyMap, Findings
from . import hierarchy, table
from .display import show_heat, show_like
from .result import ANOMALY_MAP, MASK, STRUCTURES, TABLE, Result
from .segmentation import mask_of, paint, state_of
from .volumes import array_of, ijk_to_ras


class LiveThreshold:
    """Makes the mask of a result anew, as often as one likes.

    A mask that was edited by hand is never painted over: it is kept beside, and a new one takes its place.

    Args:
        result: whose anomaly map is taken; it is prepared once.
        kept_beside: told the name of an edited mask that is not the mask of the result any more.

    Raises:
        SceneError: its anomaly map or its mask is gone.
    """

    def __init__(self, result: Result, kept_beside: Callable[[str], None] = lambda name: None) -> None:
        self.result, self._kept_beside = result, kept_beside
        self._grid = result.require(ANOMALY_MAP)
        structures = result.get(STRUCTURES)
        numbers = None if structures is None else array_of(structures).astype(np.uint8)
        self._map = AnomalyMap(array_of(self._grid).astype(np.float32, copy=False), ijk_to_ras(self._grid), numbers)
        self._painted: tuple[slicer.vtkMRMLSegmentationNode, tuple] | None = None
        self.findings = self._map.findings(result.threshold, float(result.noted("smallest_mm3") or SMALLEST_LESION_MM3))
        if not result.noted("digest"):
            result.note(digest=_digest(mask_of(result.require(MASK), self._grid)))
            table.fill(result.require(TABLE), self.findings.lesions)
        show_heat(self._grid, result.threshold)

    @property
    def highest(self) -> float:
        """The largest value of the map: above it nothing is marked."""
        return self._map.peak

    @property
    def is_corrected(self) -> bool:
        """Whether a person edited the mask as it is now, or left out a lesion."""
        mask, lesions = self.result.get(MASK), self.result.get(TABLE)
        return mask is not None and (self._is_edited(mask) or (lesions is not None and bool(table.left_out(lesions))))

    def move(self, threshold: float, smallest_mm3: float = SMALLEST_LESION_MM3) -> Findings:
        """Mark what is above another threshold; every lesion is kept at first.

        Raises:
            SceneError: the mask is gone.
        """
        self.findings = self._map.findings(threshold, smallest_mm3)
        self._paint(self.findings.mask())
        table.fill(self.result.require(TABLE), self.findings.lesions)
        self.result.note(threshold=repr(float(threshold)), smallest_mm3=repr(float(smallest_mm3)))
        show_heat(self._grid, threshold)
        return self.findings

    def apply_kept(self) -> None:
        """Leave out of the mask what is left out in the table.

        Raises:
            SceneError: mask or table are gone.
        """
        self._paint(self.findings.mask(without=table.left_out(self.result.require(TABLE))))

    def _paint(self, mask: np.ndarray) -> None:
        node = self.result.require(MASK)
        if self._is_edited(node):
            node = self._set_aside(node)
        paint(node, mask, self._grid)
        self._painted = node, state_of(node)
        self.result.note(digest=_digest(mask))

    def _is_edited(self, node: slicer.vtkMRMLSegmentationNode) -> bool:
        seen = node, state_of(node)
        if self._painted == seen:
            return False
        if _digest(mask_of(node, self._grid)) != self.result.noted("digest"):
            return True
        self._painted = seen
        return False

    def _set_aside(self, edited: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
        """Another mask node in place of the edited one, which stays in the folder."""
        scene, name = edited.GetScene(), edited.GetName()
        edited.SetName(scene.GenerateUniqueName(f"{name} (edited)"))
        new = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        new.CreateDefaultDisplayNodes()
        show_like(new, edited)
        new.SetReferenceImageGeometryParameterFromVolumeNode(self._grid)
        new.GetSegmentation().SetSourceRepresentationName(edited.GetSegmentation().GetSourceRepresentationName())
        hierarchy.place_beside(scene, edited, new)
        edited.SetDisplayVisibility(False)
        self.result.set(MASK, new)
        self._kept_beside(edited.GetName())
        return new


def _digest(mask: np.ndarray) -> str:
    return f"{zlib.crc32(np.packbits(mask)):08x}"
