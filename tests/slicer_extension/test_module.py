"""The module file and what only the application has, with stand-ins for Slicer's base classes: that it comes up, goes, and says
what it is. The application's own are tested by `AnomalyDetectionTest` there."""

import importlib.util
import subprocess
import sys
import types
from dataclasses import dataclass, field
from typing import get_type_hints

import pytest
import slicer
from AnomalyDetectionLib.scene import Layout, add_result, first_scan
from PySide6 import QtCore, QtWidgets
from slicer_desktop import UI, loaded_ui
from slicer_scene import delivery, desk, make_desk

__all__ = ["delivery", "desk", "make_desk"]


class Module:
    def __init__(self, parent):
        self.parent = parent


class Logic:
    def getParameterNode(self):
        return slicer.mrmlScene.GetSingletonNode("AnomalyDetection", "vtkMRMLScriptedModuleNode") or _singleton(slicer.mrmlScene)


def _singleton(scene):
    node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
    node.UnRegister(None)
    node.SetSingletonTag("AnomalyDetection")
    return scene.AddNode(node)


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
    """As `parameterNodeWrapper`: fields with their defaults, bound to widgets by name; `bindings` are those that hold."""

    def __init__(self, node):
        self.parameterNode = node
        for name in get_type_hints(kind):
            setattr(self, name, getattr(kind, name, None))

    kind.__init__ = __init__
    kind.bindings, kind.tag = [], 7
    kind.connectGui = lambda self, ui: kind.bindings.append(ui) or kind.tag
    kind.disconnectGui = lambda self, tag: kind.bindings.pop() if tag is not None else None
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


def test_module_says_what_it_is_and_registers_samples_and_layouts_after_the_start(module, slicer_app, desk, monkeypatch):
    parent = types.SimpleNamespace()
    module.AnomalyDetection(parent)
    assert parent.title == "Anomaly Detection" and "Research use only" in parent.helpText and "doi" in parent.acknowledgementText
    ((signal, told),) = slicer_app.started
    registered = []
    assert desk.scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None
    layouts = desk.scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    samples = types.ModuleType("SampleData")
    samples.SampleDataLogic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **facts: registered.append(facts))
    monkeypatch.setitem(sys.modules, "SampleData", samples)
    told()
    assert signal == "startupCompleted()" and len(registered) == 3
    assert all(layouts.IsLayoutDescription(layout.value) for layout in Layout)
    assert all(facts["checksums"].startswith("SHA256:") and facts["uris"].endswith(facts["fileNames"]) for facts in registered)


def test_widget_binds_its_parameters_only_while_it_is_open(module, desk):
    scan = desk.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    widget = module.AnomalyDetectionWidget(types.SimpleNamespace(isEntered=True))
    widget.setup()
    widget.enter()
    parameters = widget._parameters
    assert parameters.bindings == [widget.ui] and parameters.scan is scan and parameters.maskOpacity == 0.4
    for event, told in list(widget.observed):
        told(desk.scene, event)
    assert parameters.bindings == [widget.ui] and widget._parameters is not parameters
    widget.exit()
    assert widget._parameters is None and parameters.bindings == []
    widget.cleanup()
    assert widget.observed == [] and not widget.panel._clock.isActive()


def test_binding_without_a_tag_is_made_once_for_each_parameter_node(module, desk):
    bindings = module.AnomalyDetectionParameters.bindings
    module.AnomalyDetectionParameters.tag = None
    widget = module.AnomalyDetectionWidget(types.SimpleNamespace(isEntered=True))
    widget.setup()
    for _ in range(3):
        widget.enter()
        widget.exit()
    assert len(bindings) == 1
    desk.scene.RemoveNode(widget._parameters.parameterNode)
    widget.enter()
    assert len(bindings) == 2
    widget.cleanup()


def test_scan_that_is_selected_by_itself_is_one_that_may_be_examined(module, desk, delivery):
    labels = desk.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    scan = desk.load(delivery.scan)
    add_result(desk.scene, scan, delivery.files, delivery.report)
    assert first_scan(desk.scene) is scan
    widget = module.AnomalyDetectionWidget(types.SimpleNamespace(isEntered=True))
    widget.setup()
    widget.enter()
    assert widget._parameters.scan is scan
    widget.ui.scanSelector.setCurrentNode(labels)
    assert widget.ui.scanSelector.currentNode() is not labels
    widget.exit()
    widget.cleanup()
    desk.scene.RemoveNode(scan)
    assert first_scan(desk.scene) is None, "Maps and reconstructions are no scans."


def test_scene_that_is_loaded_while_another_module_is_open_changes_no_view(module, desk, delivery):
    parent = types.SimpleNamespace(isEntered=False)
    widget = module.AnomalyDetectionWidget(parent)
    widget.setup()
    add_result(desk.scene, desk.load(delivery.scan), delivery.files, delivery.report)
    (imported,) = [told for event, told in widget.observed if event == desk.scene.EndImportEvent]
    imported(desk.scene, desk.scene.EndImportEvent)
    assert widget.panel.session.result is None and desk.scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None
    widget.enter()
    assert widget.panel.session.result is not None
    widget.cleanup()


def test_comparing_layouts_are_known_as_soon_as_the_module_is_loaded(module, desk):
    """A scene that was saved in one of them names its number only."""
    layouts = desk.scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    module.AnomalyDetection(types.SimpleNamespace())
    layouts.SetViewArrangement(Layout.SCAN_RECONSTRUCTION.value)
    assert "AnomalyAxialScan" in layouts.GetCurrentLayoutDescription()


STARTING = """
import sys
from unittest.mock import MagicMock
sys.modules["slicer"] = MagicMock()
for part, bases in {
    "ScriptedLoadableModule": ("", "Logic", "Test", "Widget"), "parameterNodeWrapper": (), "i18n": (), "util": ("VTKObservationMixin",)
}.items():
    sys.modules["slicer." + part] = MagicMock()
    for name in bases:
        name = name if part == "util" else part + name
        setattr(sys.modules["slicer." + part], name, type(name, (), {"__init__": lambda self, parent=None: None}))
import AnomalyDetection
AnomalyDetection.AnomalyDetection(MagicMock())
print(*{name.split(".")[0] for name in sys.modules} & {"numpy", "scipy", "vtk", "qt"})
"""
"""The module as Slicer loads it when it starts, with nothing behind its base classes."""


def test_nothing_heavy_is_imported_when_slicer_starts():
    done = subprocess.run([sys.executable, "-c", STARTING], cwd=UI.parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
