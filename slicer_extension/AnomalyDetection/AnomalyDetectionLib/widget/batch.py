"""The whole worklist, or a folder, one scan after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

from ..batch import ENDINGS, REPORT, Item, scans_in, write_table
from ..client import Case
from ..jobs import Order, Progress, State
from ..scene.result import NOTICE
from ..translation import _
from .detection import in_words, name_to_tell
from .session import Session

WORKLIST, FOLDER = 0, 1
TABLE_FILE = "results.csv"


class BatchSection:
    """The section Batch. A detection in between has its turn after the scan that runs."""

    def __init__(self, ui: Any, session: Session, parameters: Any) -> None:
        self._ui, self._session, self._parameters = ui, session, parameters
        self._items: list[Item] = []
        self._output = Path()
        self._running: int | None = None
        self._stopped = True
        ui.batchTable.horizontalHeader().setStretchLastSection(True)
        ui.batchTable.setColumnWidth(0, 130)
        ui.batchTable.setColumnWidth(1, 150)
        ui.batchOutputEdit.setCurrentPath(session.application.setting("batchOutput"))
        ui.batchButton.clicked.connect(self.press)
        ui.batchSourceBox.currentIndexChanged.connect(self._refresh)
        session.connected.connect(self._refresh)
        self._refresh()

    def press(self) -> None:
        """Start, or stop after nothing more than what is already done."""
        if not self._stopped:
            self._stopped = True
            if self._running is not None:
                self._session.jobs.cancel(self._running)
            return
        try:
            self._start()
        except Exception as error:
            self._session.messages.error(error)

    def _start(self) -> None:
        session, ui = self._session, self._ui
        session.messages.clear()
        chosen = ui.batchOutputEdit.property("currentPath")
        if not chosen:
            session.messages.tell(_("Choose a folder for the results first."))
            return
        session.application.keep_setting("batchOutput", chosen)
        self._output = Path(chosen)
        self._output.mkdir(parents=True, exist_ok=True)
        if ui.batchSourceBox.property("currentIndex") == WORKLIST:
            client, self._stopped = session.client, False
            session.ask(lambda _cancellation: client.cases(), self._listed, self._not_listed)
            self._refresh()
            return
        folder = ui.batchFolderEdit.property("currentPath")
        if not folder or not Path(folder).is_dir():
            session.messages.tell(_("Choose the folder with the scans first."))
        elif session.may_send():
            self._begin(scans_in(Path(folder)))

    def _listed(self, cases: tuple[Case, ...]) -> None:
        if self._stopped:
            self._refresh()
            self._session.messages.tell(_("The batch was stopped before it began."))
            return
        self._begin([Item(case.image, case.image) for case in cases])

    def _not_listed(self, error: Exception) -> None:
        self._stopped = True
        self._refresh()
        self._session.messages.error(error)

    def _begin(self, items: list[Item]) -> None:
        if not items:
            self._stopped = True
            self._refresh()
            self._session.messages.tell(_("There are no scans ({endings}).").format(endings=", ".join(ENDINGS)))
            return
        self._items, self._stopped = items, False
        self._ui.batchTable.setRowCount(len(items))
        for row in range(len(items)):
            self._show(row)
        self._refresh()
        self._next(0)

    def _next(self, row: int) -> None:
        """Have the next scan examined that has no result in its folder."""
        while row < len(self._items) and not self._stopped and (self._folder(row) / REPORT).exists():
            self._items[row].state, self._items[row].message = "skipped", _("its folder holds a result already")
            self._show(row)
            row += 1
        if row == len(self._items) or self._stopped or self._session.client is None:
            self._end()
            return
        item, session = self._items[row], self._session
        name = name_to_tell(item.name, Path(item.scan).name) if isinstance(item.scan, Path) else None
        order = Order(session.client, item.scan, self._folder(row), session.status.has_jobs, self._parameters(), file_name=name)
        self._running = session.jobs.submit(order, lambda progress: self._changed(row, progress))

    def _changed(self, row: int, progress: Progress) -> None:
        item = self._items[row]
        item.state, item.message = progress.state.value, progress.note
        if not progress.state.final:
            self._show(row, in_words(progress))
            return
        self._running = None
        if progress.state == State.DONE:
            item.done(progress.results)
        self._show(row)
        self._next(row + 1)

    def _end(self) -> None:
        self._stopped = True
        self._refresh()
        try:
            path = write_table(self._items, self._output / TABLE_FILE, NOTICE)
        except OSError as error:
            reason = _("The batch has ended, but its table cannot be written to {folder} ({reason}).")
            self._session.messages.tell(reason.format(folder=self._output, reason=error.strerror))
            return
        self._session.messages.tell(_("The batch has ended; its table is {path}.").format(path=path))

    def _folder(self, row: int) -> Path:
        return self._output / self._items[row].folder_name

    def _show(self, row: int, state: str = "") -> None:
        item = self._items[row]
        said = state or (f"{item.state}: {item.message}" if item.message else item.state)
        volume = "" if item.volume_ml is None else f"{item.volume_ml:.2f}"
        for column, text in enumerate((item.name, said, "" if item.findings is None else str(item.findings), volume)):
            cell = qt.QTableWidgetItem(text)
            cell.setToolTip(text)
            self._ui.batchTable.setItem(row, column, cell)
        ended = sum(one.state in ("done", "failed", "cancelled", "skipped") for one in self._items)
        self._ui.batchBar.setMaximum(len(self._items))
        self._ui.batchBar.setValue(ended)

    def _refresh(self) -> None:
        ui = self._ui
        runs, connected = not self._stopped, self._session.client is not None
        ui.batchButton.setText(_("Stop batch") if runs else _("Start batch"))
        ui.batchButton.setEnabled(runs or connected)
        ui.batchButton.setToolTip("" if connected else _("Connect to a server first."))
        ui.batchBar.setVisible(bool(self._items))
        ui.batchTable.setVisible(bool(self._items))
        ui.batchFolderEdit.setEnabled(ui.batchSourceBox.property("currentIndex") == FOLDER and not runs)
