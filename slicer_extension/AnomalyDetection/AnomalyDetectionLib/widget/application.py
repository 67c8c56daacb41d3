"""What only the desktop application has: settings, questions to the person, files on disk, the Segment Editor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import qt
import slicer

PREFIX = "AnomalyDetection/"


class Application:
    """The one place that knows `slicer.app`, `slicer.util`, and windows; the tests have one of their own."""

    def __init__(self) -> None:
        self._settings = slicer.app.userSettings()

    def setting(self, name: str, default: str = "") -> str:
        """A text that was kept for this person on this computer."""
        return str(self._settings.value(PREFIX + name, default) or default)

    def keep_setting(self, name: str, value: str) -> None:
        self._settings.setValue(PREFIX + name, value)

    def window(self, widget: Any) -> Any:
        """The window whose keys are used; a panel that is being made is not in it yet."""
        return slicer.util.mainWindow() or widget.window()

    def agrees(self, title: str, question: str) -> bool:
        """Ask for consent; whoever only presses Enter does not give it."""
        buttons = qt.QMessageBox.Yes | qt.QMessageBox.No
        answer = qt.QMessageBox.question(slicer.util.mainWindow(), title, question, buttons, qt.QMessageBox.No)
        return answer == qt.QMessageBox.Yes

    def folder_to_write(self, title: str) -> Path | None:
        """The folder that the person chooses; None where nothing was chosen."""
        chosen = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, self.setting("folder"))
        return self._remembered(chosen, Path(chosen)) if chosen else None

    def file_to_write(self, title: str, name: str, kinds: str) -> Path | None:
        """The same for a file, such as `Page (*.html)`."""
        proposed = str(Path(self.setting("folder")) / name)
        chosen = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, proposed, kinds)
        chosen = chosen[0] if isinstance(chosen, (tuple, list)) else chosen
        return self._remembered(chosen, Path(chosen).parent) if chosen else None

    def open_file(self, path: Path) -> None:
        """Show a file in the program that the computer has for it."""
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def temporary_folder(self) -> Path:
        """A new folder, which the caller removes."""
        return Path(tempfile.mkdtemp(prefix="anomaly-", dir=slicer.app.temporaryPath))

    def show_scan(self, scan: Any) -> None:
        """Show a scan in every slice view, and nothing over it."""
        slicer.util.setSliceViewerLayers(background=scan, foreground=None, label=None, fit=True)

    def edit(self, mask: Any, scan: Any) -> None:
        """Open the Segment Editor on a mask."""
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(mask)
        editor.setSourceVolumeNode(scan)

    def dicom_files(self, scan: Any) -> list[Path]:
        """The files that a scan was loaded from by the module DICOM; none where it was loaded otherwise."""
        instances = (scan.GetAttribute("DICOM.instanceUIDs") or "").split()
        database = slicer.dicomDatabase
        return [Path(file) for file in (database.fileForInstance(uid) for uid in instances) if file]

    def _remembered(self, chosen: str, folder: Path) -> Path:
        self.keep_setting("folder", str(folder))
        return Path(chosen)
