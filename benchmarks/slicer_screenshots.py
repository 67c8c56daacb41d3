"""Draw the screenshots of the Slicer extension: the real panel and the real views, without the desktop application.

    python benchmarks/slicer_screenshots.py [slicer_extension/Screenshots]

Starts a server with the shipped model and the sample scans, connects, and detects, all in the panel on PySide6 and a scene of
slicer-core. Colors, fonts, and frames are therefore Qt's own and differ a little from those in the application. The report page is
drawn by the browser Chromium, where there is one. Needs port 8000.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "slicer_extension" / "AnomalyDetection")]

from PySide6 import QtCore, QtGui, QtWidgets  # noqa: E402
from slicer_desktop import Desktop, loaded_ui  # noqa: E402
from slicer_scene import Desk, View  # noqa: E402

from umaddpm_core.serving.checkout import app_folder  # noqa: E402
from umaddpm_core.serving.launch import Server  # noqa: E402

SIZE = (1280, 800)
PANEL = 440
PAGE = (1000, 1020)
PORT = 8000
PATIENCE_S = 400
SAMPLE = ROOT / "sample-data" / "sample1-tumour-T1.nii.gz"
FOLDED = {
    "panel": ("resultSection",),
    "compare": ("compareSection", "reviewSection"),
    "report": ("reportSection", "batchSection", "retrainSection"),
}
"""Sections that are open in each picture."""


def main(target: Path) -> None:
    QtWidgets.QApplication(["panel"])
    View.SIZE = ((SIZE[0] - PANEL) // 3 - 2, SIZE[1] // 3 - 2)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        desk, desktop = Desk(Path(folder)), Desktop(Path(folder) / "desktop")
        desktop.settings["reviewer"] = "Ada Example"
        desk.comparison()
        widget, ui = loaded_ui()
        ui.scanSelector.setMRMLScene(desk.scene)
        panel = detected(widget, ui, desk, desktop, server.url)
        for name, open_sections in FOLDED.items():
            for section in (one for one in vars(ui) if one.endswith("Section")):
                getattr(ui, section).setCollapsed(section not in open_sections)
            drawn(widget, desk).save(str(target / f"{name}.png"))
        desktop.where = Path(folder)
        panel.report.write_report()
        panel.close()
        for page in desktop.opened:
            photographed(page, target / "page.png")


def photographed(page: Path, picture: Path) -> None:
    """The report as a browser shows it, or a sentence where there is none."""
    browser = shutil.which("chromium")
    if browser is None:
        print("Without Chromium there is no picture of the report page.")
        return
    how = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={PAGE[0]},{PAGE[1]}")
    subprocess.run([browser, *how, f"--screenshot={picture.resolve()}", page.resolve().as_uri()], check=True, capture_output=True)


def served(folder: Path) -> Server:
    """A server that has the sample scans as its worklist."""
    app, studies = folder / "app", folder / "studies"
    shutil.copytree(app_folder(), app, ignore=shutil.ignore_patterns("__pycache__", "logs", "model", "bin"))
    studies.mkdir()
    for scan in SAMPLE.parent.glob("*.nii.gz"):
        shutil.copy(scan, studies)
    return Server(app, studies, folder / "work", port=PORT, settings={"HOME": str(folder)})


def shown(widget: Any, ui: Any, desk: Desk, desktop: Desktop, url: str) -> Any:
    """The panel after Connect was pressed."""
    from AnomalyDetectionLib.widget import Panel

    panel = Panel(widget, ui, desk.scene, desk.logic, desktop)
    ui.addressBox.setCurrentText(url)
    ui.connectButton.click()
    until(lambda: panel.session.client is not None)
    return panel


def detected(widget: Any, ui: Any, desk: Desk, desktop: Desktop, url: str) -> Any:
    """The panel after Connect and Detect anomaly were pressed, at the first lesion."""
    from AnomalyDetectionLib.scene import Layout

    panel = shown(widget, ui, desk, desktop, url)
    ui.scanSelector.setCurrentNode(desk.load(SAMPLE, "sample1-tumour-T1"))
    ui.detectButton.click()
    until(lambda: panel.session.result is not None and "reviewed" in ui.worklistBar.format())
    ui.layoutBox.setCurrentIndex(list(Layout).index(Layout.SCAN_RECONSTRUCTION_MAP))
    panel.lesions.step(1)
    return panel


def until(reached: Callable[[], bool]) -> None:
    """Let Qt run until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError("The server did not answer in time.")
        QtWidgets.QApplication.processEvents()
        time.sleep(0.02)


def drawn(widget: Any, desk: Desk) -> QtGui.QImage:
    """The panel on the left as in the application's column, the nine views on the right."""
    canvas = QtGui.QImage(*SIZE, QtGui.QImage.Format_RGB32)
    canvas.fill(QtGui.QColor("#2b2b2b"))
    widget.setAttribute(QtCore.Qt.WA_DontShowOnScreen)
    widget.setFixedWidth(PANEL)
    widget.setMinimumHeight(SIZE[1])
    widget.show()
    for _ in range(3):
        QtWidgets.QApplication.processEvents()
    painter = QtGui.QPainter(canvas)
    painter.drawPixmap(0, 0, widget.grab(QtCore.QRect(0, 0, PANEL, SIZE[1])))
    width, height = View.SIZE
    for index, name in enumerate(desk.views):
        pixels = desk.picture(name)[::-1].copy()
        image = QtGui.QImage(pixels.data, pixels.shape[1], pixels.shape[0], 3 * pixels.shape[1], QtGui.QImage.Format_RGB888)
        painter.drawImage(PANEL + 1 + (index % 3) * (width + 2), (index // 3) * (height + 2), image)
    painter.end()
    return canvas


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "slicer_extension" / "Screenshots")
