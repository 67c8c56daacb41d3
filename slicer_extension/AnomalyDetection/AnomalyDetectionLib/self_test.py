"""What the desktop application tests of itself ("Reload and Test"): the part that nothing else can show."""

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest


class AnomalyDetectionTest(ScriptedLoadableModuleTest):
    """That the panel comes up in PythonQt with the real `ctk*` and `qMRML*` widgets, whose ranges it can set, is bound to the
    parameter node, tells in words that a server is not there, and outlives closing the scene.

    Client, worker, and scene are tested without the application; no server is needed here.
    """

    def setUp(self):
        slicer.mrmlScene.Clear()
        slicer.util.selectModule("AnomalyDetection")
        self.widget = slicer.modules.AnomalyDetectionWidget

    def runTest(self):
        for test in (
            self.test_panelNeedsAServerAndAScan,
            self.test_parametersFollowTheWidgets,
            self.test_thresholdTakesItsRange,
            self.test_unreachableServerIsToldInWords,
            self.test_panelOutlivesTheScene,
        ):
            self.setUp()
            test()

    def test_panelNeedsAServerAndAScan(self):
        self.assertFalse(self.widget.ui.detectButton.enabled)
        self.assertTrue(self.widget.ui.detectButton.toolTip)

    def test_parametersFollowTheWidgets(self):
        self.widget.ui.maskOpacitySlider.value = 0.25
        self.assertAlmostEqual(self.widget.logic.getParameterNode().maskOpacity, 0.25)

    def test_thresholdTakesItsRange(self):
        slider = self.widget.ui.thresholdSlider
        slider.setProperty("maximum", 0.5)
        self.assertAlmostEqual(slider.maximum, 0.5)

    def test_unreachableServerIsToldInWords(self):
        ui = self.widget.ui
        ui.addressBox.setCurrentText("http://127.0.0.1:9")
        ui.connectButton.click()
        for _ in range(100):
            if "Not connected." in ui.statusLabel.text:
                break
            self.delayDisplay("waiting for the answer", 100)
        self.assertIn("127.0.0.1:9", ui.statusLabel.text)

    def test_panelOutlivesTheScene(self):
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan-T1")
        self.widget.ui.scanSelector.setCurrentNode(volume)
        slicer.mrmlScene.Clear()
        self.assertIsNone(self.widget.ui.scanSelector.currentNode())
        self.assertIsNone(self.widget.panel.session.result)
