"""The panel and its `.ui` file: names, size, and the first look."""

import re
import threading
import time
from pathlib import Path

from AnomalyDetectionLib.widget import panel
from PySide6 import QtCore, QtGui, QtWidgets
from slicer_desktop import UI, loaded_ui

CALLABLE = {
    "ctkSliderWidget": {"setValue"},
    "ctkPathLineEdit": {"setCurrentPath"},
    "ctkCollapsibleButton": {"setCollapsed"},
    "qMRMLNodeComboBox": {"currentNode", "setCurrentNode", "setMRMLScene"},
}
"""Slots and invokables of the widgets of CTK and Slicer, beside those of every `QWidget`: PythonQt has no other methods of them."""
LIBRARY = UI.parents[2] / "AnomalyDetectionLib"


def test_every_widget_that_the_panel_names_is_in_the_ui_file_and_none_is_there_for_nothing():
    _, ui = loaded_ui()
    code = "\n".join(path.read_text() for path in (LIBRARY / "widget").glob("*.py"))
    named = set(re.findall(r"\b_?ui\.(\w+)", code))
    assert named <= vars(ui).keys(), named - vars(ui).keys()
    interactive = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QLineEdit)
    own = {name for name, widget in vars(ui).items() if isinstance(widget, interactive) and not name.startswith("qt_")}
    assert own <= named, own - named


def test_names_of_parameters_are_those_of_the_parameter_node():
    text = UI.read_text(encoding="utf-8")
    bound = re.findall(r'name="SlicerParameterName"[^>]*>\s*<string[^>]*>(\w+)<', text)
    fields = re.findall(r"^    (\w+): ", (LIBRARY / "parameters.py").read_text().split('"""')[-1], re.MULTILINE)
    assert sorted(bound) == sorted(fields) and fields


def test_of_ctk_and_slicer_widgets_only_slots_and_invokables_are_called():
    kinds = {name: kind for kind, name in re.findall(r'<widget class="((?:ctk|qMRML)\w+)" name="(\w+)"', UI.read_text())}
    code = "\n".join(path.read_text() for path in (LIBRARY / "widget").glob("*.py"))
    for name, method in re.findall(r"\bui\.(\w+)\.(\w+)\(", code):
        if name in kinds:
            assert method in CALLABLE[kinds[name]] or hasattr(QtWidgets.QWidget, method), f"{name}.{method}"


def test_folders_are_asked_for_as_folders():
    filters = re.findall(r'class="ctkPathLineEdit" name="(\w+)">(?:\s*<property name="filters">\s*<set>(.*?)</set>)?', UI.read_text())
    chosen = {name: {one.removeprefix("ctkPathLineEdit::") for one in said.split("|")} for name, said in filters}
    folders = {name for name, said in chosen.items() if "Dirs" in said and "Files" not in said}
    assert folders == {"batchFolderEdit", "batchOutputEdit"} == {name for name in chosen if name.startswith("batch")}


def test_panel_fits_its_column_without_scrolling_sideways(shown):
    for section in [name for name in vars(shown.ui) if name.endswith("Section")]:
        getattr(shown.ui, section).setCollapsed(False)
    assert shown.widget.minimumSizeHint().width() <= 420


def test_button_says_what_is_missing(shown, delivery):
    assert not shown.ui.detectButton.isEnabled() and "server" in shown.ui.detectButton.toolTip()
    assert shown.ui.connectionForm.isVisibleTo(shown.widget) and shown.says == ""
    shown.load(delivery.scan)
    assert not shown.ui.detectButton.isEnabled()


def test_closing_the_scene_leaves_an_empty_panel(with_result):
    with_result.desk.scene.Clear(False)
    with_result.panel.refresh()
    assert with_result.session.result is None and with_result.ui.summaryLabel.text() == "No result yet."
    assert not with_result.ui.reportSection.isEnabled() and with_result.says == ""


def test_clock_lets_the_workers_work_and_is_slow_while_there_is_nothing_to_do(shown, monkeypatch):
    slept, go, answers = [], threading.Event(), []
    monkeypatch.setattr(panel, "time", type("Time", (), {"sleep": slept.append}))
    shown.panel._tick()
    assert slept == [] and shown.panel._clock.interval() == panel.IDLE_MS == 100
    shown.session.ask(lambda _cancellation: go.wait(60), answers.append)
    shown.panel._tick()
    assert slept == [panel.YIELD_S] and shown.panel._clock.interval() == panel.BUSY_MS == 20
    go.set()
    shown.until(lambda: answers and shown.panel._clock.interval() == panel.IDLE_MS)


def test_closing_waits_no_longer_than_a_second_for_what_hangs(shown):
    over, hung = threading.Event(), lambda error: None
    for worker in (shown.session._asking, shown.session._detecting):
        worker.call(lambda _cancellation: over.wait(60), hung, hung)
    started = time.monotonic()
    shown.session.close()
    assert time.monotonic() - started < 1.8
    over.set()


def test_keys_go_with_the_panel_as_their_window_stays(shown):
    keys = shown.panel._shortcuts
    assert len(keys) == len(shown.widget.findChildren(QtGui.QShortcut)) == 4
    shown.panel.close()
    assert not any(key.isEnabled() for key in keys)
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)
    assert shown.widget.findChildren(QtGui.QShortcut) == []


def test_no_file_is_long():
    long = {path.name: len(path.read_text().splitlines()) for path in [*LIBRARY.rglob("*.py"), LIBRARY.parent / "AnomalyDetection.py"]}
    assert max(long.values()) <= 300 and long["AnomalyDetection.py"] <= 150, long


def test_nothing_reads_a_qt_property_as_a_method():
    # In PythonQt `edit.text` is the text, in PySide6 a method: `property("text")` is right in both.
    code = {path.name: path.read_text() for path in Path(LIBRARY / "widget").glob("*.py")}
    kinds, names = "Edit|Box|Slider|Button|Check|Label|Bar", "text|currentText|currentIndex|value|checked|isChecked|currentPath"
    wrong = re.compile(rf"(?:{kinds})\.(?:{names})\(\)")
    assert {name: found for name, text in code.items() if (found := wrong.findall(text))} == {}
