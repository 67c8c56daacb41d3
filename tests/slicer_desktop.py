"""What the desktop application has around the panel, on PySide6: the module `qt`, widgets of CTK and Slicer, windows.

Only the application itself has the real ones (PythonQt), so these are stand-ins: as much of each as the panel uses, under the same
names, and of methods only what PythonQt has: slots and invokables. Everything behind them is real: the `.ui` file, the panel, the
client, the scene.
"""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets  # noqa: E402


class QtModule(types.ModuleType):
    """All of Qt under one name, as PythonQt has it."""

    def __getattr__(self, name: str) -> Any:
        for part in (QtCore, QtGui, QtWidgets):
            if hasattr(part, name):
                return getattr(part, name)
        raise AttributeError(f"Qt has no {name}.")


sys.modules.setdefault("qt", QtModule("qt"))

UI = Path(__file__).parents[1] / "slicer_extension" / "AnomalyDetection" / "Resources" / "UI" / "AnomalyDetection.ui"


class qMRMLWidget(QtWidgets.QWidget):
    pass


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A heading that folds what is below it."""

    HEADING = 26
    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, self.HEADING, 0, 0)

    def _set_text(self, text: str) -> None:
        self._text = text

    def setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(self.HEADING if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, lambda self: self._text, _set_text)
    collapsed = QtCore.Property(bool, lambda self: self._collapsed, setCollapsed)

    def minimumSizeHint(self) -> QtCore.QSize:
        hint = super().minimumSizeHint()
        return QtCore.QSize(hint.width(), self.HEADING) if self._collapsed else hint

    def sizeHint(self) -> QtCore.QSize:
        return self.minimumSizeHint() if self._collapsed else super().sizeHint()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter, palette = QtGui.QPainter(self), self.palette()
        bar = QtCore.QRect(0, 1, self.width() - 1, self.HEADING - 4)
        painter.setPen(palette.color(QtGui.QPalette.Mid))
        painter.setBrush(palette.color(QtGui.QPalette.Button))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(palette.color(QtGui.QPalette.ButtonText if self.isEnabled() else QtGui.QPalette.Mid))
        painter.drawText(bar.adjusted(10, 0, 0, 0), QtCore.Qt.AlignVCenter, f"{'▸' if self._collapsed else '▾'}  {self._text}")
        painter.end()


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider with the number beside it, which it rounds to its decimals."""

    valueChanged = QtCore.Signal(float)
    STEPS = 1000

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._slider, self._box = QtWidgets.QSlider(QtCore.Qt.Horizontal), QtWidgets.QDoubleSpinBox()
        self._slider.setRange(0, self.STEPS)
        self._box.setMinimumWidth(92)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._moved)

    def _moved(self, value: float) -> None:
        span = self._box.maximum() - self._box.minimum()
        self._slider.setValue(round(self.STEPS * (value - self._box.minimum()) / span) if span else 0)
        self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def _set_minimum(self, value: float) -> None:
        self._box.setMinimum(value)
        self._moved(self._box.value())

    def _set_maximum(self, value: float) -> None:
        self._box.setMaximum(value)
        self._moved(self._box.value())

    value = QtCore.Property(float, lambda self: self._box.value(), setValue)
    minimum = QtCore.Property(float, lambda self: self._box.minimum(), _set_minimum)
    maximum = QtCore.Property(float, lambda self: self._box.maximum(), _set_maximum)
    singleStep = QtCore.Property(float, lambda self: self._box.singleStep(), lambda self, value: self._box.setSingleStep(value))
    decimals = QtCore.Property(int, lambda self: self._box.decimals(), lambda self, number: self._box.setDecimals(number))
    suffix = QtCore.Property(str, lambda self: self._box.suffix(), lambda self, text: self._box.setSuffix(text))


class ctkPathLineEdit(QtWidgets.QWidget):
    """A path with a button to choose one."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._edit, button = QtWidgets.QLineEdit(), QtWidgets.QToolButton()
        button.setText("...")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(button)

    def setCurrentPath(self, path: str) -> None:
        self._edit.setText(path)

    currentPath = QtCore.Property(str, lambda self: self._edit.text(), setCurrentPath)


class qMRMLNodeComboBox(QtWidgets.QComboBox):
    """The nodes of a class in a scene, and unless that is turned off of those derived from it; hidden ones are left out."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene, self._nodes = None, [None]
        self._types, self._children = [], True
        self.currentIndexChanged.connect(lambda index: self.currentNodeChanged.emit(self.currentNode()))

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
            scene.AddObserver(event, lambda caller, name: self._fill())
        self._fill()

    def currentNode(self) -> Any:
        return self._nodes[max(self.currentIndex(), 0)]

    def setCurrentNode(self, node: Any) -> None:
        self._fill()
        self.setCurrentIndex(self._nodes.index(node) if node in self._nodes else 0)

    def _fill(self) -> None:
        chosen, (kind,) = self.currentNode(), self._types
        every = [self._scene.GetNthNodeByClass(index, kind) for index in range(self._scene.GetNumberOfNodesByClass(kind))]
        shown = [node for node in every if not node.GetHideFromEditors()]
        nodes = [None, *(node for node in shown if self._children or node.GetClassName() == kind)]
        self.blockSignals(True)
        self.clear()
        self.addItems(["Select a Volume", *(node.GetName() for node in nodes[1:])])
        self._nodes = nodes
        self.setCurrentIndex(nodes.index(chosen) if chosen in nodes else 0)
        self.blockSignals(False)
        if self.currentNode() is not chosen:
            self.currentNodeChanged.emit(self.currentNode())

    nodeTypes = QtCore.Property(list, lambda self: self._types, lambda self, types: setattr(self, "_types", types))
    showChildNodeTypes = QtCore.Property(bool, lambda self: self._children, lambda self, shown: setattr(self, "_children", shown))


STAND_INS = (qMRMLWidget, ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit, qMRMLNodeComboBox)


def loaded_ui() -> tuple[QtWidgets.QWidget, types.SimpleNamespace]:
    """The `.ui` file of the module, and its widgets by name as `slicer.util.childWidgetVariables` gives them."""
    QtWidgets.QApplication.instance() or QtWidgets.QApplication(["panel"])
    loader = QtUiTools.QUiLoader()
    for kind in STAND_INS:
        loader.registerCustomWidget(kind)
    widget = loader.load(str(UI))
    named = {child.objectName(): child for child in widget.findChildren(QtWidgets.QWidget) if child.objectName()}
    return widget, types.SimpleNamespace(**named)


class Desktop:
    """In place of `AnomalyDetectionLib.widget.Application`: settings in memory, and a person who answers as told.

    Attributes:
        agreeing: what is answered to questions; `questions` are those that were asked.
        where: the file or folder that is chosen next; None chooses nothing.
        opened, edited: what was shown in another program or in the Segment Editor; `looked_at` the scans in every slice view.
        dicom: files that a scan was loaded from.
    """

    def __init__(self, folder: Path) -> None:
        self.settings: dict[str, str] = {}
        self.agreeing, self.questions = True, []
        self.where: Path | None = None
        self.opened, self.edited, self.looked_at, self.dicom = [], [], [], []
        self._folder, self._made = folder, 0

    def setting(self, name: str, default: str = "") -> str:
        return self.settings.get(name, default)

    def keep_setting(self, name: str, value: str) -> None:
        self.settings[name] = value

    def window(self, widget: Any) -> Any:
        return widget

    def agrees(self, title: str, question: str) -> bool:
        self.questions.append(question)
        return self.agreeing

    def folder_to_write(self, title: str) -> Path | None:
        return self.where

    def file_to_write(self, title: str, name: str, kinds: str) -> Path | None:
        return self.where / name if self.where else None

    def open_file(self, path: Path) -> None:
        self.opened.append(path)

    def temporary_folder(self) -> Path:
        self._made += 1
        folder = self._folder / f"temporary-{self._made}"
        folder.mkdir(parents=True)
        return folder

    def show_scan(self, scan: Any) -> None:
        self.looked_at.append(scan)

    def edit(self, mask: Any, scan: Any) -> None:
        self.edited.append((mask, scan))

    def dicom_files(self, scan: Any) -> list[Path]:
        return self.dicom

    @property
    def temporary_left(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._folder.exists() else []
