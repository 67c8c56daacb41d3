"""What a person says of the mask, sent to the server, and which case comes next."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..client import Case, Client, Review
from ..scene import Result, SceneError, scan_to_send, write_mask_to_send
from ..scene.result import MASK, SCAN
from ..scene.volumes import read_volume
from ..scene.worklist import image_of, mark, sequence_in
from ..translation import _
from .session import Session


class ReviewSection:
    """The section Review."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._strategies: tuple[str, ...] = ()
        self._idle = True
        ui.reviewerEdit.setText(session.application.setting("reviewer"))
        ui.reviewerEdit.textChanged.connect(self._named)
        ui.editButton.clicked.connect(self.edit)
        ui.acceptButton.clicked.connect(lambda: self.send("accepted"))
        ui.correctedButton.clicked.connect(lambda: self.send("corrected"))
        ui.rejectButton.clicked.connect(lambda: self.send("rejected"))
        ui.nextCaseButton.clicked.connect(self.next_case)
        session.connected.connect(self._connected)
        session.result_changed.connect(self._show)
        session.findings_changed.connect(self.refresh)
        session.kept_changed.connect(self.refresh)
        self._connected()
        self._show()

    def refresh(self) -> None:
        """Set what can be pressed, such as after the mask was edited."""
        self._enable(self._idle)

    def edit(self) -> None:
        """Open the Segment Editor on the mask."""
        result = self._session.result
        try:
            self._session.application.edit(result.require(MASK), result.get(SCAN))
        except SceneError as error:
            self._session.messages.error(error)

    def send(self, verdict: str) -> None:
        """Send the mask as it is now with a verdict; a scan that is no case of the server becomes one."""
        session, result = self._session, self._session.result
        if not session.may_send():
            return
        folder, server = session.application.temporary_folder(), session.server
        review = self._review(verdict, result)
        try:
            work = self._sending(session.client, result, review, folder)
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            session.messages.error(error)
            return
        self._enable(False)
        self._ui.reviewLabel.setText(_("Sending ..."))

        def ended(error: Exception | None, image: str = "") -> None:
            shutil.rmtree(folder, ignore_errors=True)
            self._sent(result, review, server, image, error)

        session.ask(work, lambda image: ended(None, image), ended)

    def next_case(self) -> None:
        """Load the next case that nobody has reviewed; what is in the scene stays."""
        session, client = self._session, self._session.client
        strategy = self._strategies[max(self._ui.strategyBox.property("currentIndex"), 0)]
        folder = session.application.temporary_folder()
        self._enable(False)

        def fetched(cancellation: Any) -> tuple[Case, Path] | None:
            case = client.next_case(strategy)
            return (case, client.fetch_image(case.image, folder, cancellation=cancellation)) if case else None

        def ended(answer: tuple[Case, Path] | None, error: Exception | None = None) -> None:
            self._enable(True)
            try:
                if error is not None:
                    raise error
                self._load(client, answer)
            except Exception as failure:
                session.messages.error(failure)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        session.ask(fetched, ended, lambda error: ended(None, error))

    def _review(self, verdict: str, result: Result) -> Review:
        name, comment = (field.property("text").strip() for field in (self._ui.reviewerEdit, self._ui.commentEdit))
        return Review(verdict, name, comment, str(result.report.get("model") or ""), result.threshold)

    def _sending(self, client: Client, result: Result, review: Review, folder: Path) -> Callable[[Any], str]:
        """What the worker has to do; the files are written before, as that touches the scene."""
        scan = result.require(SCAN)
        name, image = scan.GetName(), image_of(scan, str(client.address))
        mask = write_mask_to_send(result, folder / "mask.nii.gz")
        file = None if image else scan_to_send(scan, folder / "scan.nrrd")

        def send(cancellation: Any) -> str:
            case = image or client.add_image(file, _new_image(name, file), cancellation=cancellation)
            client.save_label(case, mask, review, cancellation=cancellation)
            return case

        return send

    def _sent(self, result: Result, review: Review, server: str, image: str, error: Exception | None) -> None:
        self._enable(True)
        if error is not None:
            self._ui.reviewLabel.setText(_("Not sent."))
            self._session.messages.error(error)
            return
        result.note(verdict=review.verdict, reviewer=review.reviewer, comment=review.comment)
        if (scan := result.get(SCAN)) is not None:
            mark(scan, server, image)
        self._show()
        self._count()

    def _load(self, client: Client, answer: tuple[Case, Path] | None) -> None:
        if answer is None:
            self._session.messages.tell(_("Every case of the worklist has been reviewed."))
            return
        case, file = answer
        scan = read_volume(self._session.scene, file, case.image)
        scan.CreateDefaultDisplayNodes()
        mark(scan, str(client.address), case.image)
        self._session.when_entered(lambda: self._look_at(scan))

    def _look_at(self, scan: Any) -> None:
        if scan.GetScene() is self._session.scene:
            self._ui.scanSelector.setCurrentNode(scan)
            self._session.show_scan(scan)

    def _connected(self) -> None:
        ui, status = self._ui, self._session.status
        self._strategies = tuple(status.strategies) if status else ()
        ui.strategyBox.clear()
        ui.strategyBox.addItems([name.replace("_", " ") for name in self._strategies])
        ui.strategyBox.setToolTip("\n".join(f"{name.replace('_', ' ')}: {status.strategies[name]}" for name in self._strategies))
        ui.worklistBar.setVisible(status is not None)
        self._enable(True)
        self._count()

    def _count(self) -> None:
        """Ask how much of the worklist has been reviewed."""
        client = self._session.client
        if client is not None:
            self._session.ask(lambda _cancellation: client.cases(), self._counted)

    def _counted(self, cases: tuple[Case, ...]) -> None:
        reviewed = sum(case.is_reviewed for case in cases)
        self._ui.worklistBar.setMaximum(max(len(cases), 1))
        self._ui.worklistBar.setValue(reviewed)
        self._ui.worklistBar.setFormat(_("{reviewed} of {all} cases reviewed").format(reviewed=reviewed, all=len(cases)))

    def _show(self) -> None:
        result = self._session.result
        verdict = result.noted("verdict") if result else ""
        said = _("Sent: {verdict}, by {reviewer}.").format(verdict=verdict, reviewer=result.noted("reviewer")) if verdict else ""
        self._ui.reviewLabel.setText(said)
        self.refresh()

    def _named(self, name: str) -> None:
        self._session.application.keep_setting("reviewer", name.strip())
        self.refresh()

    def _enable(self, idle: bool) -> None:
        """Set what can be pressed, and what the tool tip says is missing."""
        ui, session, self._idle = self._ui, self._session, idle
        ui.editButton.setEnabled(session.result is not None)
        ui.nextCaseButton.setEnabled(idle and bool(self._strategies))
        ready = idle and session.client is not None and session.result is not None and bool(ui.reviewerEdit.property("text").strip())
        corrected = ready and session.live.is_corrected
        for button, can in ((ui.acceptButton, ready), (ui.correctedButton, corrected), (ui.rejectButton, ready)):
            button.setEnabled(can)
        ui.reviewSection.setToolTip("" if ready else _("A verdict needs a result, a server, and the reviewer's name."))
        right = _("The mask is right as you have corrected it.")
        ui.correctedButton.setToolTip(right if corrected else _("Edit the mask or leave out a lesion first."))


def _new_image(name: str, file: Path) -> str:
    """An id for a scan that comes into the worklist: no scan with other voxels has it."""
    sequence = sequence_in(name)
    return f"scan-{zlib.crc32(file.read_bytes()):08x}" + (f"-{sequence}" if sequence else "")
