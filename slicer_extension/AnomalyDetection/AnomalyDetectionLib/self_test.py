"""What the desktop application tests of itself ("Reload and Test"): the part that nothing else can show."""

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest


class AnomalyDetectionTest(ScriptedLoadableModuleTest):
    """That the panel comes up in PythonQt with the real `ctk*` and `qMRML*` widgets, is bound to the parameter node, and
    outlives closing the scene. Client, worker, and scene are tested without the application; no server is needed.
    """

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        slicer.util.selectModule("AnomalyDetection")
        widget = slicer.modules.AnomalyDetectionWidget
        self.test_panelNeedsAServerAndAScan(widget)
        self.test_parametersFollowTheWidgets(widget)
        self.test_unreachableServerIsToldInWords(widget)
        self.test_panelOutlivesTheScene(widget)

    def test_panelNeedsAServerAndAScan(self, widget):
        self.assertFalse(widget.ui.detectButton.enabled)
        self.assertTrue(widget.ui.detectButton.toolTip)

    def test_parametersFollowTheWidgets(self, widget):
        widget.ui.maskOpacitySlider.value = 0.25
        self.assertAlmostEqual(widget.logic.getParameterNode().maskOpacity, 0.25)

    def test_unreachableServerIsToldInWords(self, widget):
        widget.ui.addressBox.setCurrentText("http://127.0.0.1:9")
        widget.ui.connectButton.click()
        for _ in range(100):
            self.delayDisplay("waiting for the answer", 100)
            if "Not connected." in widget.ui.statusLabel.text:
                break
        self.assertIn("127.0.0.1:9", widget.ui.statusLabel.text)

    def test_panelOutlivesTheScene(self, widget):
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan-T1")
        widget.ui.scanSelector.setCurrentNode(volume)
        slicer.mrmlScene.Clear()
        self.assertIsNone(widget.ui.scanSelector.currentNode())
        self.assertEqual(widget.panel.session.result, None)
