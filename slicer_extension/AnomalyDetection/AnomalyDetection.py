"""The module Anomaly Detection: what it is, and how it comes into 3D Slicer. Everything else is in `AnomalyDetectionLib`."""

from pathlib import Path

import slicer
from AnomalyDetectionLib.parameters import AnomalyDetectionParameters
from AnomalyDetectionLib.sample_data import register
from AnomalyDetectionLib.self_test import AnomalyDetectionTest
from AnomalyDetectionLib.views import make_known
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleLogic, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

__all__ = ["AnomalyDetection", "AnomalyDetectionLogic", "AnomalyDetectionTest", "AnomalyDetectionWidget"]

ICONS = Path(__file__).parent / "Resources" / "Icons"


class AnomalyDetection(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Anomaly Detection")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The UMA-DDPM for MONAI Label developers"]
        parent.helpText = _(
            "Finds what is unusual in a brain MRI (T1 or T2): a model that has only ever seen healthy brains repaints the scan as if "
            "it were healthy, and what it could not repaint is marked. Connect to a MONAI Label server with anomaly detection, "
            "select a scan, and press Detect anomaly. The scan is sent to that server and to nobody else. "
            "Research use only. Not a medical device, not for diagnosis."
        )
        parent.helpText += f' <a href="https://github.com/OWNER/SlicerUMADDPM#readme">{_("Tutorial")}</a>'
        parent.acknowledgementText = _(
            "Method: Zhao H., Wang F., Li Z., Gao S., Unified modality-aware denoising diffusion probabilistic model for detecting "
            "brain tumors in multiple sequences MRI, 2026, doi:10.13929/j.issn.1003-3289.2026.01.023. "
            "The server is built on MONAI Label. The sample scans are computed from the IXI data set (CC BY-SA 3.0)."
        )
        slicer.app.connect("startupCompleted()", self._started)
        # The module may also be loaded after the start.
        make_known(slicer.mrmlScene)

    def _started(self):
        make_known(slicer.mrmlScene)
        register(ICONS)


class AnomalyDetectionLogic(ScriptedLoadableModuleLogic):
    """Gives the parameter node; the work is done by the classes of `AnomalyDetectionLib`."""

    def getParameterNode(self):
        return AnomalyDetectionParameters(super().getParameterNode())


class AnomalyDetectionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the panel and tells it when the module and the scene come and go."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.panel = None
        self._parameters = None
        self._binding = None

    def setup(self):
        from AnomalyDetectionLib.widget import Application, Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/AnomalyDetection.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = AnomalyDetectionLogic()
        self.panel = Panel(uiWidget, self.ui, slicer.mrmlScene, slicer.app.applicationLogic(), Application())
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)

    def enter(self):
        self._connectParameters()
        self.panel.enter()

    def exit(self):
        self._disconnectParameters()
        self.panel.exit()

    def cleanup(self):
        self.removeObservers()
        self._disconnectParameters()
        if self.panel is not None:
            self.panel.close()

    def onSceneStartClose(self, caller, event):
        self._disconnectParameters()

    def onSceneEndClose(self, caller, event):
        self.panel.refresh()
        if self.parent.isEntered:
            self._connectParameters()

    def onSceneEndImport(self, caller, event):
        if self.parent.isEntered:
            self.panel.refresh()

    def _connectParameters(self):
        """Bind the widgets to the parameter node of the scene, once."""
        from AnomalyDetectionLib.scene import first_scan

        parameters = self.logic.getParameterNode()
        if parameters.scan is None:
            parameters.scan = first_scan(slicer.mrmlScene)
        if self._parameters is None or self._parameters.parameterNode is not parameters.parameterNode:
            self._parameters, self._binding = parameters, parameters.connectGui(self.ui)

    def _disconnectParameters(self):
        """Undo that; what some versions of Slicer bind without a tag stays bound as long as its node."""
        if self._binding is not None:
            self._parameters.disconnectGui(self._binding)
            self._parameters = self._binding = None
