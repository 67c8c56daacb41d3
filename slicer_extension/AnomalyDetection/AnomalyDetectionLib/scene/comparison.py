"""Scan, reconstruction and anomaly map of one result side by side."""

from __future__ import annotations

import slicer
import vtk

from ..views import MAP, RECONSTRUCTION, SCAN, Layout
from . import display, layouts
from .result import ANOMALY_MAP, EXAMINED, MASK, MODEL_OUTPUT, TABLE, TITLES, Result, results_in
from .result import RECONSTRUCTION as COMPOSITE
from .result import SCAN as ITS_SCAN
from .table import centre

RECONSTRUCTIONS = (COMPOSITE, MODEL_OUTPUT)


class Comparison:
    """What the comparing views show. One for a scene; `show` gives it a result and a layout.

    Args:
        application_logic: `slicer.app.applicationLogic()`.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
        self.scene, self._logic = scene, application_logic
        self.result: Result | None = None
        self.layout = Layout.SCAN_RECONSTRUCTION
        self.reconstruction = COMPOSITE
        self._faded, self._heat, self._mask = 0.0, 0.6, 0.4
        self._observed = scene.AddObserver(scene.NodeAddedEvent, self._added)

    def close(self) -> None:
        """Leave the scene alone from now on."""
        self.scene.RemoveObserver(self._observed)

    def show(self, result: Result, layout: Layout | None = None) -> None:
        """Show a result, and of the others of the scene neither mask nor outline.

        Raises:
            SceneError: its anomaly map is gone.
        """
        result.require(ANOMALY_MAP)
        self.result, self.layout = result, layout or self.layout
        layouts.apply(self.scene, self.layout)
        for other in results_in(self.scene):
            if other != result:
                display.hide(other)
        display.show_alike(result)
        display.show_mask(result, self._mask)
        display.show_examined(result)
        self._restrict()
        self._fill_views(result.get(ITS_SCAN))
        self._align_views(result.get(ITS_SCAN) or result.get(ANOMALY_MAP))

    def clear(self) -> None:
        """Show no result: neither mask nor outline of any, and nothing in the views."""
        self.result = None
        for result in results_in(self.scene):
            display.hide(result)
        self._fill_views(None)

    def show_scan(self, scan: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Show a scan that has no result yet, where scans are."""
        self.clear()
        self._fill_views(scan)
        self._align_views(scan)

    def show_reconstruction(self, role: str) -> None:
        """Show the composite at the scan's resolution or the model's output; where the result lacks it, what there is.

        Args:
            role: one of `RECONSTRUCTIONS`.
        """
        self.reconstruction = role
        if self.result is not None:
            self._fill_views(self.result.get(ITS_SCAN))

    @property
    def caption(self) -> str:
        """What the reconstruction that is shown is; a composite is called one."""
        node = self._shown_reconstruction()
        return "" if node is None else TITLES[COMPOSITE if node is self.result.get(COMPOSITE) else MODEL_OUTPUT]

    def fade(self, share: float) -> None:
        """Let the reconstruction shine through the scan in the first column: 0 is the scan, 1 the reconstruction."""
        self._faded = min(max(share, 0.0), 1.0)
        for composite in layouts.composite_nodes(self.scene, SCAN):
            composite.SetForegroundOpacity(self._faded)

    def blink(self) -> None:
        """Change between scan and reconstruction in the first column."""
        self.fade(0.0 if self._faded >= 0.5 else 1.0)

    def set_heat_opacity(self, opacity: float) -> None:
        """How strongly the anomaly map lies over the scan, 0–1."""
        self._heat = opacity
        for composite in layouts.composite_nodes(self.scene, MAP):
            composite.SetForegroundOpacity(opacity)

    def set_mask_opacity(self, opacity: float) -> None:
        """How strongly the mask is filled, 0–1."""
        self._mask = opacity
        if self.result is not None:
            display.show_mask(self.result, opacity)

    def show_examined(self, visible: bool) -> None:
        """Show or hide the outline of the examined region."""
        if self.result is not None:
            display.show_examined(self.result, visible)

    def jump_to(self, row: int) -> None:
        """Bring every view of the scene to the lesion of a row of the table; one that does not show it then is centred on it.

        Raises:
            IndexError: there is no such row.
            SceneError: the table is gone.
        """
        position = centre(self.result.require(TABLE), row)
        for node in layouts.every_slice_node(self.scene):
            node.JumpSliceByOffsetting(*position)
            if not layouts.is_in_view(node, position):
                node.JumpSliceByCentering(*position)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _added(self, scene: slicer.vtkMRMLScene, event: str, node: slicer.vtkMRMLNode) -> None:
        """Let a view that is made later show what the others do."""
        if self.result is not None and node.IsA("vtkMRMLAbstractViewNode"):
            self._restrict()

    def _restrict(self) -> None:
        """Keep the mask out of reconstruction and map, and the outline out of the reconstruction."""
        for role, without in ((MASK, (RECONSTRUCTION, MAP)), (EXAMINED, (RECONSTRUCTION,))):
            display.show_only_in(self.result, role, layouts.views_but(self.scene, *without))

    def _shown_reconstruction(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        if self.result is None:
            return None
        other = COMPOSITE if self.reconstruction == MODEL_OUTPUT else MODEL_OUTPUT
        return self.result.get(self.reconstruction) or self.result.get(other)

    def _fill_views(self, scan: slicer.vtkMRMLScalarVolumeNode | None) -> None:
        """Put the scan into its columns, and what the result has of it, where there is one, into the others."""
        shown, score_map = self._shown_reconstruction(), self.result.get(ANOMALY_MAP) if self.result is not None else None
        for column, background, foreground, opacity in (
            (SCAN, scan, shown, self._faded),
            (RECONSTRUCTION, shown, None, 0.0),
            (MAP, scan, score_map, self._heat),
        ):
            for composite in layouts.composite_nodes(self.scene, column):
                composite.SetBackgroundVolumeID(background.GetID() if background else None)
                composite.SetForegroundVolumeID(foreground.GetID() if foreground else None)
                composite.SetForegroundOpacity(opacity)
                composite.SetLabelVolumeID(None)
                composite.SetLinkedControl(True)
                composite.SetHotLinkedControl(True)

    def _align_views(self, scan: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Turn the views along the scan's axes, fit the first column to it, and bring the others to the same position."""
        for node in layouts.slice_nodes(self.scene):
            node.RotateToVolumePlane(scan)
            logic = self._logic.GetSliceLogic(node)
            if logic is not None:
                logic.FitSliceToBackground()
                logic.SnapSliceOffsetToIJK()
