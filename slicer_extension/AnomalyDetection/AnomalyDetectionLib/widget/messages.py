"""What went wrong, in the panel instead of in a window of its own."""

from __future__ import annotations

import traceback
from typing import Any

from ..client import ClientError
from ..scene import SceneError
from ..translation import _


class Messages:
    """One sentence, and what there is to copy behind the button Details."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        ui.messageDetailsButton.toggled.connect(self._show_details)
        self.clear()

    def clear(self) -> None:
        self._ui.messageFrame.setVisible(False)

    def tell(self, text: str) -> None:
        """Something that is no error."""
        self._show(text, "")

    def error(self, error: Exception) -> None:
        """An error in its own words where it was worded for people."""
        worded = isinstance(error, (ClientError, SceneError))
        text = str(error) if worded else _("Something went wrong in the panel: {error}.").format(error=str(error) or type(error).__name__)
        self._show(text, "".join(traceback.format_exception(type(error), error, error.__traceback__)))

    def _show(self, text: str, details: str) -> None:
        ui = self._ui
        ui.messageLabel.setText(text)
        ui.messageDetails.setPlainText(details)
        ui.messageDetailsButton.setVisible(bool(details))
        ui.messageDetailsButton.setChecked(False)
        ui.messageDetails.setVisible(False)
        ui.messageFrame.setVisible(True)

    def _show_details(self, wanted: bool) -> None:
        self._ui.messageDetails.setVisible(wanted)
