"""The live threshold: a slider, the calibrations by name, and the smallest lesion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt

from ..calibrations import Calibration, calibrations
from ..client import ClientError, ModelList
from ..lesions import SMALLEST_LESION_MM3
from ..translation import _
from .session import Session

PAUSE_MS = 30
"""After the slider has rested for this long, the mask is made anew."""


class ThresholdSection:
    """Moves the threshold of the result that is shown; nothing of it goes to the server."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._calibrations: tuple[Calibration, ...] = ()
        self._models: tuple[Mapping[str, Any], ...] = ()
        self._threshold = 0.0
        self._filling = False
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.apply)
        ui.thresholdSlider.valueChanged.connect(self._moved)
        ui.smallestSlider.valueChanged.connect(self._resized)
        ui.calibrationBox.currentIndexChanged.connect(self._chosen)
        ui.resetButton.clicked.connect(self.reset)
        session.result_changed.connect(self._show)
        session.connected.connect(self._connected)
        self._show()

    def apply(self) -> None:
        """Make the mask as the sliders say."""
        self._pause.stop()
        session, ui = self._session, self._ui
        if session.live is None:
            return
        try:
            session.live.move(self._threshold, ui.smallestSlider.property("value"))
            session.findings_changed.emit()
        except Exception as error:
            session.messages.error(error)

    def reset(self) -> None:
        """As the detection was made."""
        if self._session.result is None:
            return
        self._set(float(self._session.result.report["threshold"]["value"]), SMALLEST_LESION_MM3)
        self.apply()

    def _show(self) -> None:
        ui, result = self._ui, self._session.result
        for widget in (ui.thresholdSlider, ui.smallestSlider, ui.calibrationBox, ui.resetButton):
            widget.setEnabled(result is not None)
        self._calibrations = calibrations(result.report, self._models) if result else ()
        self._filling = True
        ui.calibrationBox.clear()
        ui.calibrationBox.addItems([*(one.title for one in self._calibrations), _("own value")])
        self._filling = False
        if result is not None:
            findings = self._session.live.findings
            self._set(findings.threshold, findings.smallest_mm3)
        self._explain()

    def _set(self, threshold: float, smallest_mm3: float) -> None:
        """Let the widgets say this, without that being a wish of the person; the slider rounds, the value does not."""
        self._threshold = threshold
        ui, highest = self._ui, max(self._session.live.highest, threshold)
        self._filling = True
        for name, value in (("minimum", highest / 200), ("maximum", highest), ("singleStep", highest / 500)):
            ui.thresholdSlider.setProperty(name, value)
        ui.thresholdSlider.setValue(threshold)
        ui.smallestSlider.setValue(smallest_mm3)
        ui.calibrationBox.setCurrentIndex(self._index_of(threshold))
        self._filling = False
        self._explain()

    def _index_of(self, threshold: float) -> int:
        """Which calibration a value is; behind the last where it is none."""
        values = [round(one.value, 5) for one in self._calibrations]
        return values.index(round(threshold, 5)) if round(threshold, 5) in values else len(values)

    def _moved(self, threshold: float) -> None:
        if self._filling or self._session.live is None:
            return
        self._threshold = threshold
        self._filling = True
        self._ui.calibrationBox.setCurrentIndex(self._index_of(threshold))
        self._filling = False
        self._explain()
        self._pause.start()

    def _resized(self, *_ignored: float) -> None:
        if not self._filling and self._session.live is not None:
            self._pause.start()

    def _chosen(self) -> None:
        index = self._ui.calibrationBox.property("currentIndex")
        if self._filling or not 0 <= index < len(self._calibrations):
            return
        self._set(self._calibrations[index].value, self._ui.smallestSlider.property("value"))
        self.apply()

    def _explain(self) -> None:
        index = self._ui.calibrationBox.property("currentIndex")
        known = 0 <= index < len(self._calibrations)
        self._ui.calibrationLabel.setText(self._calibrations[index].meaning if known else "")
        self._ui.calibrationLabel.setVisible(known)

    def _connected(self) -> None:
        """Ask for the calibrations of the server's models; one that has no list of models knows those of the result only."""
        self._models = ()
        if self._session.client is not None:
            client = self._session.client
            self._session.ask(lambda _cancellation: client.models(), self._told, self._not_told)

    def _told(self, models: ModelList) -> None:
        self._models = tuple(models.models.values())
        self._show()

    def _not_told(self, error: Exception) -> None:
        if not isinstance(error, ClientError):
            self._session.messages.error(error)
