"""Letting the server learn from healthy cases, and deciding which model is in use."""

from __future__ import annotations

from typing import Any

import qt

from ..client import ClientError, ModelList, TrainingState
from ..scene.result import SCAN
from ..scene.worklist import image_of
from ..translation import _
from .curve import LossCurve
from .session import Session

ASK_MS = 3000
LINES = 200
"""Of the log that are shown."""


class RetrainingSection:
    """The section Retrain. The server is asked how it goes only while the section is open."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._state = TrainingState("")
        self._models: ModelList | None = None
        self._waiting = False
        self._curve = LossCurve()
        self._clock = qt.QTimer()
        self._clock.setInterval(ASK_MS)
        self._clock.timeout.connect(self.ask)
        ui.retrainSection.contentsCollapsed.connect(self._opened)
        ui.healthyButton.clicked.connect(self.mark_healthy)
        ui.trainButton.clicked.connect(self.press)
        ui.publishButton.clicked.connect(self.publish)
        ui.rollbackButton.clicked.connect(self.roll_back)
        session.connected.connect(self._connected)
        session.result_changed.connect(self._refresh)
        self._connected()

    def close(self) -> None:
        self._clock.stop()

    def ask(self) -> None:
        """Ask how the training goes, and which models there are."""
        client = self._session.client
        if client is None or self._waiting:
            return
        self._waiting = True
        self._session.ask(lambda _cancellation: (client.training(), client.models()), self._told, self._not_told)

    def press(self) -> None:
        """Start a training, or stop the one that runs."""
        client, trainer = self._session.client, self._session.status.trainers[0]
        if self._state.is_running:
            self._do(client.stop_training)
            return
        wanted = {"max_epochs": self._ui.epochsSpin.property("value"), "publish": "never", "by": self._who}
        self._curve = LossCurve()
        self._do(lambda: client.start_training(trainer, wanted))

    def mark_healthy(self) -> None:
        """Say that the server may learn from the case whose result is shown."""
        client, image = self._session.client, self._image
        self._do(lambda: client.set_image_info(image, {"cohort": "healthy"}), _("{image} is called healthy.").format(image=image))

    def publish(self) -> None:
        """Put the trained model in use; where it may be worse, only after that was said."""
        client, (name, versions) = self._session.client, self._of_ours()
        reasons = (versions.candidate or {}).get("reasons") or ()
        question = _(
            "The trained model may be worse than the one in use:\n\n{reasons}\n\nPublish it all the same? The server records that."
        )
        if reasons and not self._session.application.agrees(_("Publish?"), question.format(reasons="\n".join(reasons))):
            return
        self._do(lambda: client.publish(name, self._who, override=bool(reasons)))

    def roll_back(self) -> None:
        """Put in use what was in use before."""
        client, (name, _versions) = self._session.client, self._of_ours()
        self._do(lambda: client.roll_back(name, self._who))

    @property
    def _who(self) -> str:
        return self._ui.reviewerEdit.property("text").strip()

    @property
    def _image(self) -> str:
        result = self._session.result
        return image_of(result.get(SCAN), self._session.server) if result is not None else ""

    def _of_ours(self) -> tuple[str, Any]:
        """The model that is trained, with its versions: the one with a candidate, else the first."""
        known = self._models.versions if self._models else {}
        ordered = sorted(known.items(), key=lambda entry: entry[1].candidate is None)
        return ordered[0] if ordered else ("", None)

    def _do(self, work: Any, said: str = "") -> None:
        """Have something done on the server, then look what is so."""

        def done(_answer: Any) -> None:
            self._ui.healthyLabel.setText(said)
            self.ask()

        self._session.messages.clear()
        self._session.ask(lambda _cancellation: work(), done)

    def _connected(self) -> None:
        self._state, self._models, self._waiting = TrainingState(""), None, False
        self._curve = LossCurve()
        self._refresh()
        self._opened(self._ui.retrainSection.property("collapsed"))

    def _opened(self, collapsed: bool) -> None:
        if collapsed or not self._can_train:
            self._clock.stop()
        else:
            self._clock.start()
            self.ask()

    @property
    def _can_train(self) -> bool:
        return self._session.status is not None and bool(self._session.status.trainers)

    def _told(self, answer: tuple[TrainingState, ModelList]) -> None:
        self._waiting = False
        self._state, self._models = answer
        figures, log = self._state.figures, self._ui.trainingLog
        epoch, loss = figures.get("epoch"), figures.get("loss")
        if epoch and loss is not None:
            self._curve.add(int(epoch), float(loss))
        log.setPlainText("\n".join(self._state.log[-LINES:]))
        log.verticalScrollBar().setValue(log.verticalScrollBar().property("maximum"))
        self._ui.trainingBar.setMaximum(max(int(figures.get("total_epochs") or 0), 1))
        self._ui.trainingBar.setValue(int(epoch or 0))
        self._ui.trainingBar.setFormat(str(figures.get("phase") or self._state.state.lower()))
        self._refresh()

    def _not_told(self, error: Exception) -> None:
        self._waiting = False
        self._clock.stop()
        self._session.messages.error(error)

    def _refresh(self) -> None:
        ui = self._ui
        ui.trainButton.setEnabled(self._can_train)
        ui.trainButton.setText(_("Stop training") if self._state.is_running else _("Start training"))
        ui.trainButton.setToolTip("" if self._can_train else _("Connect to a server with a trainer first."))
        ui.healthyButton.setEnabled(bool(self._image))
        ui.trainingBar.setVisible(bool(self._state.state))
        ui.trainingLog.setVisible(bool(self._state.log))
        ui.curveLabel.setVisible(self._curve.is_worth_drawing)
        if self._curve.is_worth_drawing:
            ui.curveLabel.setPixmap(self._curve.pixmap())
        _name, versions = self._of_ours()
        ui.publishButton.setEnabled(versions is not None and versions.candidate is not None)
        ui.rollbackButton.setEnabled(versions is not None and versions.in_use is not None)
        ui.judgementLabel.setText(judgement_in_words(self._models, versions))


def judgement_in_words(models: ModelList | None, versions: Any) -> str:
    """Which model is in use, and how the one that waits compares with it."""
    if models is None:
        return ""
    lines = [_("In use: {name}.").format(name=models.default)]
    candidate = versions.candidate if versions else None
    if candidate is None:
        return lines[0]
    judgement = candidate.get("judgement", {})
    names = {
        "dice": _("Dice of painted lesions"),
        "average_precision": _("average precision of painted lesions"),
        "findings": _("healthy scans with a finding"),
    }
    for modality, figures in judgement.get("comparisons", {}).items():
        for one in figures:
            name = names.get(one["figure"], one["figure"])
            line = _("{modality}, {figure}: {new:.3f} (in use: {old:.3f})")
            lines.append(line.format(modality=modality, figure=name, new=one["candidate"], old=one["in_use"]))
    passed = _("The trained model is not worse and can be published.") if judgement.get("passed") else _("The trained model may be worse:")
    return "\n".join([*lines, passed, *candidate.get("reasons", ())])
