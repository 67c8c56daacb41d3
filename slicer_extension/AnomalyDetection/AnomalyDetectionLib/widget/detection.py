"""From the selected scan to its result: one button, with its progress."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ..jobs import Order, Progress, State
from ..scene import Result, add_result, scan_to_send
from ..scene.worklist import image_of, is_as_on_server, sequence_in
from ..translation import _
from .session import Session

SCORES = (None, "dark", "bright", "both")
"""In the order of the list in the panel."""
SEQUENCES = (None, "T1", "T2")


class Detection:
    """The scan selector, the button Detect anomaly, which is Cancel while something runs, and the progress below it."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._running: int | None = None
        ui.scanSelector.currentNodeChanged.connect(self.refresh)
        ui.detectButton.clicked.connect(self.press)
        session.connected.connect(self._connected)
        self.refresh()

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def press(self) -> None:
        """Detect, or cancel what runs."""
        if self.is_running:
            self._session.jobs.cancel(self._running)
            self._ui.progressLabel.setText(_("Canceling ..."))
            return
        try:
            self._detect(self._ui.scanSelector.currentNode())
        except Exception as error:
            self._session.messages.error(error)
            self.refresh()

    def refresh(self, *_ignored: Any) -> None:
        """Set what can be pressed, and what the tool tip says is missing."""
        ui = self._ui
        missing = _("Connect to a server first.") if self._session.client is None else ""
        if ui.scanSelector.currentNode() is None:
            missing = missing or _("Select a scan first.")
        ui.detectButton.setEnabled(self.is_running or not missing)
        ui.detectButton.setText(_("Cancel") if self.is_running else _("Detect anomaly"))
        ui.detectButton.setToolTip(missing or _("Send the scan to the server and show what it finds (Ctrl+Shift+D)."))
        ui.progressBar.setVisible(self.is_running)
        ui.progressLabel.setVisible(self.is_running)
        ui.scanSelector.setEnabled(not self.is_running)

    def parameters(self) -> dict[str, Any]:
        """What the options ask the server for."""
        ui = self._ui
        model = ui.modelBox.property("currentText") if ui.modelBox.property("currentIndex") > 0 else None
        wanted = {
            "model": model,
            "score": SCORES[ui.scoreBox.property("currentIndex")],
            "modality": SEQUENCES[ui.sequenceBox.property("currentIndex")],
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def _detect(self, scan: Any) -> None:
        session = self._session
        image = image_of(scan, session.server) if is_as_on_server(scan) else ""
        if not image and not session.may_send():
            return
        session.messages.clear()
        folder = session.application.temporary_folder()
        try:
            sent = image or scan_to_send(scan, folder / "scan.nrrd")
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        name = None if image else name_to_tell(scan.GetName(), sent.name)
        order = Order(session.client, sent, folder / "result", session.status.has_jobs, self.parameters(), file_name=name)
        self._running = session.jobs.submit(order, lambda progress: self._changed(progress, scan, folder))
        self.refresh()

    def _changed(self, progress: Progress, scan: Any, folder: Path) -> None:
        if not progress.state.final:
            self._ui.progressBar.setValue(round(100 * progress.share))
            self._ui.progressLabel.setText(in_words(progress))
            return
        self._running = None
        self.refresh()
        try:
            if progress.state == State.DONE:
                result = add_result(self._session.scene, scan, progress.results.files, progress.results.report)
                self._session.when_entered(lambda: self._look_at(result))
            elif progress.state == State.FAILED:
                self._session.messages.error(progress.error)
            else:
                self._session.messages.tell(_("Canceled. Nothing was kept."))
        except Exception as error:
            self._session.messages.error(error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _look_at(self, result: Result) -> None:
        if result.is_alive:
            self._session.show(result)

    def _connected(self) -> None:
        chosen = self._ui.modelBox.property("currentText")
        self._ui.modelBox.clear()
        status = self._session.status
        self._ui.modelBox.addItems([_("as the server is set"), *(status.models if status else ())])
        self._ui.modelBox.setCurrentIndex(max(self._ui.modelBox.findText(chosen), 0))
        self.refresh()


def name_to_tell(name: str, file: str) -> str:
    """What the server is told that a file is called: of the scan's name only the sequence, of the file's the ending."""
    sequence = sequence_in(name)
    ending = ".nii.gz" if file.lower().endswith(".nii.gz") else Path(file).suffix
    return (f"scan-{sequence}" if sequence else "scan") + ending


def in_words(progress: Progress) -> str:
    """Phase, step, and remaining time."""
    words = {
        State.WAITING: _("waiting"),
        State.UPLOADING: _("sending the scan"),
        State.QUEUED: _("queued on the server"),
        State.RUNNING: _("detecting"),
        State.FETCHING: _("fetching the result"),
    }[progress.state]
    facts = [progress.note or words]
    if progress.state == State.QUEUED and progress.position:
        facts.append(_("number {position} in the queue").format(position=progress.position))
    if progress.steps:
        facts.append(_("step {step} of {steps}").format(step=progress.step, steps=progress.steps))
    if progress.seconds_left is not None:
        facts.append(_("about {time} left").format(time=duration(progress.seconds_left)))
    return " · ".join(facts)


def duration(seconds: float) -> str:
    """Seconds or minutes, as one would say it."""
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} min"
