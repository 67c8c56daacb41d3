"""Which server, and what it is or what is wrong with it, in words."""

from __future__ import annotations

from typing import Any

import qt

from ..client import Client, ClientError, ServerStatus
from ..translation import _
from .session import Session

REMEMBERED = 10
USUAL = "http://127.0.0.1:8000"
LOADING_MS = 2000
"""Between two questions to a server that loads its model."""


class Connection:
    """The form with address, token, and certificate; once connected it folds into one line.

    The token stays in its field until Slicer is closed and is written nowhere.
    """

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._asked: Any = None
        self._again = qt.QTimer()
        self._again.setSingleShot(True)
        self._again.setInterval(LOADING_MS)
        self._again.timeout.connect(self._look_again)
        ui.addressBox.addItems(self._history() or [USUAL])
        ui.caFileEdit.setCurrentPath(session.application.setting("caFile"))
        ui.connectButton.clicked.connect(self.connect)
        ui.addressBox.lineEdit().returnPressed.connect(self.connect)
        ui.tokenEdit.returnPressed.connect(self.connect)
        ui.changeConnectionButton.clicked.connect(self.change)
        self._fold(False)

    def close(self) -> None:
        self._again.stop()

    def connect(self) -> None:
        """Ask whatever is at the address; no image is sent."""
        ui = self._ui
        if self._asked is not None:
            self._asked.set()
        address, ca_file = ui.addressBox.property("currentText"), ui.caFileEdit.property("currentPath")
        self._again.stop()
        self._session.messages.clear()
        try:
            client = Client(address, ui.tokenEdit.property("text"), ca_file or None)
        except ClientError as error:
            self._failed(error)
            return
        self._session.application.keep_setting("caFile", ca_file or "")
        ui.statusLabel.setText(_("Connecting to {address} ...").format(address=client.address))
        ui.connectButton.setEnabled(False)
        self._asked = self._session.ask(client.status, lambda status: self._connected(client, status), self._failed)

    def change(self) -> None:
        """Show the form again; the connection stays until another is made."""
        self._fold(False)

    def _connected(self, client: Client, status: ServerStatus) -> None:
        self._ui.connectButton.setEnabled(True)
        self._remember(str(client.address))
        self._fold(True)
        self._know(client, status)

    def _know(self, client: Client, status: ServerStatus) -> None:
        """Tell what a server is, now and, as long as it loads its model, again and again."""
        self._ui.statusLabel.setText(in_words(status))
        self._session.connect(client, status)
        if not status.ready:
            self._again.start()

    def _look_again(self) -> None:
        client = self._session.client
        if client is not None:
            self._asked = self._session.ask(client.status, lambda status: self._know(client, status), self._failed)

    def _failed(self, error: Exception) -> None:
        self._ui.connectButton.setEnabled(True)
        self._ui.statusLabel.setText(_("Not connected. {reason}").format(reason=error))
        self._fold(False)
        self._session.connect(None, None)

    def _fold(self, folded: bool) -> None:
        self._ui.connectionForm.setVisible(not folded)
        self._ui.changeConnectionButton.setVisible(folded)

    def _history(self) -> list[str]:
        return [address for address in self._session.application.setting("addresses").split("\n") if address]

    def _remember(self, address: str) -> None:
        """Put an address first in the list."""
        known = [address, *(one for one in self._history() if one != address)][:REMEMBERED]
        self._session.application.keep_setting("addresses", "\n".join(known))
        self._ui.addressBox.clear()
        self._ui.addressBox.addItems(known)


def in_words(status: ServerStatus) -> str:
    """What a server is, in one line."""
    facts = [_("Connected to {url}").format(url=status.url), _("version {version}").format(version=status.version)]
    if status.device:
        facts.append(status.device)
    if not status.ready:
        facts.append(_("loading its model"))
    elif status.waiting:
        facts.append(_("{number} waiting").format(number=status.waiting))
    return " · ".join(facts)
