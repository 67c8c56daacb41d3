"""Draw the screenshots of the Slicer extension: the real panel and the real views, without the desktop application.

    python benchmarks/slicer_screenshots.py [slicer_extension/Screenshots]

Runs the shipped model on a sample scan, puts the result into a scene of slicer-core, and shows it in the panel on PySide6. Colors,
fonts, and frames are therefore Qt's own and differ a little from those in the application.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "slicer_extension" / "AnomalyDetection")]

from PySide6 import QtCore, QtGui, QtWidgets  # noqa: E402
from slicer_desktop import Desktop, loaded_ui  # noqa: E402
from slicer_scene import Desk, View  # noqa: E402

SIZE = (1280, 800)
PANEL = 440
SAMPLE = ROOT / "sample-data" / "sample1-tumour-T1.nii.gz"
FOLDED = {
    "panel": ("resultSection",),
    "compare": ("compareSection", "reviewSection"),
    "report": ("reportSection", "batchSection", "retrainSection"),
}
"""Sections that are open in each picture."""


def main(target: Path) -> None:
    from AnomalyDetectionLib.scene import Layout, add_result
    from AnomalyDetectionLib.widget import Panel

    from umaddpm_core.detection import Detector, write_detection

    with tempfile.TemporaryDirectory() as folder:
        detection = Detector.load().detect(SAMPLE)
        files = Path(folder) / "result"
        write_detection(detection, files)
        QtWidgets.QApplication(["panel"])
        View.SIZE = ((SIZE[0] - PANEL) // 3 - 2, SIZE[1] // 3 - 2)
        desk = Desk(Path(folder))
        desk.comparison()
        widget, ui = loaded_ui()
        ui.scanSelector.setMRMLScene(desk.scene)
        panel = Panel(widget, ui, desk.scene, desk.logic, Desktop(Path(folder) / "desktop"))
        scan = desk.load(SAMPLE, "sample1-tumour-T1")
        ui.scanSelector.setCurrentNode(scan)
        ui.statusLabel.setText(f"Connected to http://127.0.0.1:8000 · version {detection.report['package_version']} · cpu")
        ui.connectionForm.hide()
        ui.changeConnectionButton.show()
        ui.detectButton.setEnabled(True)
        volumes = {path.name.removesuffix(".nii.gz"): path for path in files.glob("*.nii.gz")}
        panel.session.show(add_result(desk.scene, scan, volumes, detection.report))
        ui.layoutBox.setCurrentIndex(list(Layout).index(Layout.SCAN_RECONSTRUCTION_MAP))
        panel.session.comparison.jump_to(0)
        ui.lesionTable.selectRow(0)
        ui.reviewerEdit.setText("Ada Example")
        target.mkdir(parents=True, exist_ok=True)
        for name, open_sections in FOLDED.items():
            for section in (one for one in vars(ui) if one.endswith("Section")):
                getattr(ui, section).setCollapsed(section not in open_sections)
            drawn(widget, desk).save(str(target / f"{name}.png"))
        panel.close()


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
