"""The module file and what only the application has, with stand-ins for Slicer's base classes: that it comes up, goes, and says
what it is. The application's own are tested by `AnomalyDetectionTest` there."""

import importlib.util
import sys
import types
from dataclasses import dataclass, field
from typing import get_type_hints

import pytest
import slicer
from PySide6 import QtCore, QtWidgets
from slicer_desktop import UI, loaded_ui
from slicer_scene import desk, make_desk

__all__ = ["desk", "make_desk"]


class Module:
    def __init__(self, parent):
        self.parent = parent


class Logic:
    def getParameterNode(self):
        return None


class Widget:
    def __init__(self, parent):
        self.parent, self.layout = parent, QtWidgets.QVBoxLayout()

    def setup(self):
        pass

    def resourcePath(self, name):
        return UI.parents[1] / name


class Observing:
    def __init__(self):
        self.observed = []

    def addObserver(self, caller, event, told):
        self.observed.append((event, told))

    def removeObservers(self):
        self.observed.clear()


def wrapped(kind):
    """As `parameterNodeWrapper`: fields with their defaults, bound to widgets by name."""

    def __init__(self, node):
        self.bound = None
        for name in get_type_hints(kind):
            setattr(self, name, getattr(kind, name, None))

    kind.__init__ = __init__
    kind.connectGui = lambda self, ui: setattr(self, "bound", ui) or 7
    kind.disconnectGui = lambda self, tag: setattr(self, "bound", None)
    return kind


@dataclass
class App:
    """`slicer.app`: settings in a file, and what waits for the start."""

    folder: str
    logic: object
    started: list = field(default_factory=list)

    def connect(self, signal, told):
        self.started.append((signal, told))

    def userSettings(self):
        return QtCore.QSettings(f"{self.folder}/settings.ini", QtCore.QSettings.IniFormat)

    def applicationLogic(self):
        return self.logic

    @property
    def temporaryPath(self):
        return self.folder


@pytest.fixture
def slicer_app(monkeypatch, tmp_path, desk):
    """Slicer with a scene, an application, and base classes."""
    root, ui = loaded_ui()
    root.setMRMLScene = ui.scanSelector.setMRMLScene
    classes = {"ScriptedLoadableModule": Module, "ScriptedLoadableModuleLogic": Logic, "ScriptedLoadableModuleWidget": Widget}
    parts = {
        "slicer.ScriptedLoadableModule": {**classes, "ScriptedLoadableModuleTest": object},
        "slicer.parameterNodeWrapper": {"WithinRange": lambda low, high: (low, high), "parameterNodeWrapper": wrapped},
        "slicer.i18n": {"tr": lambda text: text, "translate": lambda context, text: text},
    }
    for name, content in parts.items():
        part = types.ModuleType(name)
        part.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, part)
    util = {
        "VTKObservationMixin": Observing, "loadUI": lambda path: root, "childWidgetVariables": lambda widget: ui,
        "mainWindow": lambda: root,
    }  # fmt: skip
    for name, one in util.items():
        monkeypatch.setattr(slicer.util, name, one, raising=False)
    monkeypatch.setattr(slicer, "app", App(str(tmp_path), desk.logic), raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", desk.scene, raising=False)
    desk.comparison()
    yield slicer.app
    for name in [name for name in sys.modules if name in ("AnomalyDetectionLib.parameters", "AnomalyDetectionLib.self_test")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def module(slicer_app):
    spec = importlib.util.spec_from_file_location("AnomalyDetection", UI.parents[2] / "AnomalyDetection.py")
    one = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(one)
    return one


def test_module_says_what_it_is_and_registers_the_samples_after_the_start(module, slicer_app, monkeypatch):
    parent = types.SimpleNamespace()
    module.AnomalyDetection(parent)
    assert parent.title == "Anomaly Detection" and "Research use only" in parent.helpText and "doi" in parent.acknowledgementText
    ((signal, told),) = slicer_app.started
    registered = []
    samples = types.ModuleType("SampleData")
    samples.SampleDataLogic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **facts: registered.append(facts))
    monkeypatch.setitem(sys.modules, "SampleData", samples)
    told()
    assert signal == "startupCompleted()" and len(registered) == 3
    assert all(facts["checksums"].startswith("SHA256:") and facts["uris"].endswith(facts["fileNames"]) for facts in registered)


def test_widget_binds_its_parameters_only_while_it_is_open(module, desk):
    scan = desk.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    widget = module.AnomalyDetectionWidget(types.SimpleNamespace(isEntered=True))
    widget.setup()
    widget.enter()
    node = widget._parameterNode
    assert node.bound is widget.ui and node.scan is scan and node.maskOpacity == 0.4
    for event, told in list(widget.observed):
        told(desk.scene, event)
    assert node.bound is None and widget._parameterNode.bound is widget.ui
    widget.exit()
    assert widget._parameterNode is None
    widget.cleanup()
    assert widget.observed == [] and not widget.panel._clock.isActive()


def test_application_keeps_settings_and_asks_in_windows(slicer_app, monkeypatch, tmp_path):
    from AnomalyDetectionLib.widget import Application

    Application().keep_setting("addresses", "http://a\nhttp://b")
    application = Application()
    assert application.setting("addresses") == "http://a\nhttp://b" and application.setting("nothing", "usual") == "usual"
    for answer, agreed in ((QtWidgets.QMessageBox.Yes, True), (QtWidgets.QMessageBox.No, False)):
        monkeypatch.setattr(QtWidgets.QMessageBox, "question", lambda *arguments, answer=answer: answer)
        assert application.agrees("title", "question") is agreed
    # PySide6 gives the file and its kind, PythonQt the file alone.
    for chosen in ((str(tmp_path / "page.html"), "HTML"), str(tmp_path / "page.html")):
        monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *arguments, chosen=chosen: chosen)
        assert application.file_to_write("title", "page.html", "HTML (*.html)") == tmp_path / "page.html"
    assert application.setting("folder") == str(tmp_path) and application.temporary_folder().parent == tmp_path
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *arguments: "")
    assert application.folder_to_write("title") is None


def test_dicom_files_of_a_scan_are_those_of_the_database(slicer_app, monkeypatch, desk):
    from AnomalyDetectionLib.widget import Application

    files = {"1.1": "/a.dcm", "1.2": ""}
    monkeypatch.setattr(slicer, "dicomDatabase", types.SimpleNamespace(fileForInstance=files.get), raising=False)
    scan = desk.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    assert Application().dicom_files(scan) == []
    scan.SetAttribute("DICOM.instanceUIDs", "1.1 1.2")
    assert [str(file) for file in Application().dicom_files(scan)] == ["/a.dcm"]
