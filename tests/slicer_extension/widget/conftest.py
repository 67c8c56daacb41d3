"""The panel as the module shows it, on the scene of slicer-core and the stand-ins of `slicer_desktop`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slicer_desktop import Desktop, loaded_ui
from slicer_scene import Desk, delivered, delivery, desk, make_desk, result

__all__ = ["delivered", "delivery", "desk", "make_desk", "result"]


class Shown:
    """A panel with its scene and its person."""

    def __init__(self, desk: Desk, desktop: Desktop) -> None:
        from AnomalyDetectionLib.widget import Panel

        self.desk, self.desktop = desk, desktop
        desk.comparison()
        self.widget, self.ui = loaded_ui()
        self.ui.scanSelector.setMRMLScene(desk.scene)
        self.panel = Panel(self.widget, self.ui, desk.scene, desk.logic, desktop)
        self.session = self.panel.session
        self.panel.enter()

    def until(self, reached: Callable[[], Any], seconds: float = 300) -> Any:
        """Let the panel's clock run until something is so."""
        from PySide6.QtWidgets import QApplication

        deadline = time.monotonic() + seconds
        while not (found := reached()):
            assert time.monotonic() < deadline, self.says
            QApplication.processEvents()
            time.sleep(0.01)
        return found

    @property
    def says(self) -> str:
        """What is wrong, as the panel tells it; empty where nothing is."""
        return "" if self.ui.messageFrame.isHidden() else self.ui.messageLabel.text()

    def connect(self, url: str) -> None:
        self.ui.addressBox.setCurrentText(url)
        self.ui.connectButton.click()
        self.until(lambda: self.ui.connectButton.isEnabled())

    def load(self, path: Path, name: str = "sample-T1") -> Any:
        node = self.desk.load(path, name)
        self.ui.scanSelector.setCurrentNode(node)
        return node

    def detect(self) -> Any:
        """Press the button, and wait for the end."""
        self.ui.detectButton.click()
        self.until(lambda: not self.panel.detection.is_running)
        return self.session.result


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path / "desktop")


@pytest.fixture
def shown(desk: Desk, desktop: Desktop) -> Iterator[Shown]:
    one = Shown(desk, desktop)
    yield one
    one.panel.close()
    one.widget.deleteLater()


@pytest.fixture
def connected(shown: Shown, server: Any) -> Shown:
    """A panel that is connected to the real server."""
    shown.connect(server.url)
    return shown


@pytest.fixture
def with_result(shown: Shown, delivery: Any) -> Shown:
    """A panel that shows a result."""
    from AnomalyDetectionLib.scene import add_result

    scan = shown.load(delivery.scan)
    shown.session.show(add_result(shown.desk.scene, scan, delivery.files, delivery.report))
    return shown
