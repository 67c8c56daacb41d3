"""The panel as a whole: its sections, its clock, and its keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt

from .batch import BatchSection
from .comparison import ComparisonSection
from .connection import Connection
from .detection import Detection
from .lesion_table import LesionTable
from .messages import Messages
from .report import ReportSection
from .retraining import RetrainingSection
from .review import ReviewSection
from .session import Session
from .threshold import ThresholdSection

BUSY_MS, IDLE_MS = 20, 100
"""Between two looks at what happened, while something is under way and while nothing is."""
YIELD_S = 0.01


class Panel:
    """Everything that the module shows.

    Args:
        widget: root of the `.ui`.
        ui: its widgets by name.
        scene, application_logic: of the application.
        application: as `Application`.
    """

    def __init__(self, widget: Any, ui: Any, scene: Any, application_logic: Any, application: Any) -> None:
        self.ui = ui
        self.session = Session(scene, application_logic, application, Messages(ui))
        self.connection = Connection(ui, self.session)
        self.detection = Detection(ui, self.session)
        self.comparison = ComparisonSection(ui, self.session)
        self.threshold = ThresholdSection(ui, self.session)
        self.lesions = LesionTable(ui, self.session)
        self.review = ReviewSection(ui, self.session)
        self.report = ReportSection(ui, self.session)
        self.batch = BatchSection(ui, self.session, self.detection.parameters)
        self.retraining = RetrainingSection(ui, self.session)
        self._shortcuts = [_shortcut(application.window(widget), keys, action) for keys, action in self._keys()]
        self._clock = qt.QTimer()
        self._clock.setInterval(IDLE_MS)
        self._clock.timeout.connect(self._tick)
        self._clock.start()

    def enter(self) -> None:
        """The module is shown: its keys work, and what was loaded meanwhile is there."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(True)
        self._refresh(self.session.enter)

    def exit(self) -> None:
        """The module is left: what runs goes on, the keys are free for others."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
        self.comparison.stop()
        self.session.leave()

    def refresh(self) -> None:
        """The scene was closed or loaded."""
        self._refresh(self.session.forget_what_is_gone)

    def close(self) -> None:
        """End the clock, the keys, and the threads; what runs is canceled."""
        self._clock.stop()
        for shortcut in self._shortcuts:
            # The window that they belong to stays.
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []
        self.connection.close()
        self.retraining.close()
        self.comparison.stop()
        self.session.close()

    def _refresh(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:
            self.session.messages.error(error)
        self.detection.refresh()
        self.review.refresh()

    def _tick(self) -> None:
        """Deliver what happened, and let the workers work."""
        self.session.poll()
        busy = self.session.is_busy
        if busy:
            # In its event loop PythonQt keeps the interpreter's lock, without which no other thread runs; sleeping gives it away.
            time.sleep(YIELD_S)
        self._clock.setInterval(BUSY_MS if busy else IDLE_MS)

    def _keys(self) -> tuple[tuple[str, Any], ...]:
        ui = self.ui
        return (
            ("Ctrl+Shift+D", ui.detectButton.click),
            ("Shift+B", ui.blinkButton.click),
            ("N", lambda: self.lesions.step(1)),
            ("Shift+N", lambda: self.lesions.step(-1)),
        )


def _shortcut(window: Any, keys: str, action: Any) -> Any:
    """A key of the main window that is off until the module is entered."""
    shortcut = qt.QShortcut(window)
    shortcut.setKey(qt.QKeySequence(keys))
    shortcut.setEnabled(False)
    shortcut.activated.connect(action)
    return shortcut
