"""What stands side by side in the views, and how strongly it is drawn."""

from __future__ import annotations

from typing import Any

import qt

from ..scene import RECONSTRUCTIONS, Layout, SceneError
from ..translation import _
from .session import Session

BLINK_MS = 500
LAYOUTS = (Layout.SCAN_RECONSTRUCTION, Layout.SCAN_RECONSTRUCTION_MAP)
"""In the order of the list in the panel, as are `RECONSTRUCTIONS`."""


class ComparisonSection:
    """The section Compare."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._blinking = qt.QTimer()
        self._blinking.setInterval(BLINK_MS)
        self._blinking.timeout.connect(session.comparison.blink)
        application = session.application
        ui.layoutBox.setCurrentIndex(int(application.setting("layout", "0")))
        ui.reconstructionBox.setCurrentIndex(int(application.setting("reconstruction", "0")))
        ui.layoutBox.currentIndexChanged.connect(self._layout_chosen)
        ui.reconstructionBox.currentIndexChanged.connect(self._reconstruction_chosen)
        ui.fadeSlider.valueChanged.connect(session.comparison.fade)
        ui.blinkButton.toggled.connect(self._blink)
        ui.maskOpacitySlider.valueChanged.connect(session.comparison.set_mask_opacity)
        ui.heatOpacitySlider.valueChanged.connect(session.comparison.set_heat_opacity)
        ui.examinedCheck.toggled.connect(session.comparison.show_examined)
        session.result_changed.connect(self._show)
        self._apply()
        self._show()

    def stop(self) -> None:
        """End blinking, such as when the module is left."""
        self._ui.blinkButton.setChecked(False)

    def _apply(self) -> None:
        """Let the views be as the panel says."""
        comparison, ui = self._session.comparison, self._ui
        comparison.layout = LAYOUTS[ui.layoutBox.property("currentIndex")]
        comparison.show_reconstruction(RECONSTRUCTIONS[ui.reconstructionBox.property("currentIndex")])
        comparison.set_heat_opacity(ui.heatOpacitySlider.property("value"))
        comparison.set_mask_opacity(ui.maskOpacitySlider.property("value"))
        comparison.show_examined(ui.examinedCheck.property("checked"))

    def _show(self) -> None:
        result = self._session.result
        self._ui.compareSection.setEnabled(result is not None)
        self._ui.examinedLabel.setText(result.not_examined if result else "")
        if result is None:
            self.stop()
        else:
            self._apply()
        self._caption()

    def _caption(self) -> None:
        caption = self._session.comparison.caption
        self._ui.captionLabel.setText(_("Shown: {what}").format(what=caption) if caption else "")

    def _layout_chosen(self) -> None:
        session, index = self._session, self._ui.layoutBox.property("currentIndex")
        session.application.keep_setting("layout", str(index))
        session.comparison.layout = LAYOUTS[index]
        if session.result is None:
            return
        try:
            session.comparison.show(session.result)
        except SceneError as error:
            session.messages.error(error)
            return
        session.comparison.show_examined(self._ui.examinedCheck.property("checked"))

    def _reconstruction_chosen(self) -> None:
        index = self._ui.reconstructionBox.property("currentIndex")
        self._session.application.keep_setting("reconstruction", str(index))
        self._session.comparison.show_reconstruction(RECONSTRUCTIONS[index])
        self._caption()

    def _blink(self, wanted: bool) -> None:
        if wanted:
            self._blinking.start()
        else:
            self._blinking.stop()
            self._session.comparison.fade(self._ui.fadeSlider.property("value"))
