"""The result in words, and its lesions: click to jump, clear the box to leave one out, sort by any column."""

from __future__ import annotations

from typing import Any

import qt

from ..lesions import Lesion
from ..scene import Result, SceneError, left_out, results_in, set_kept
from ..scene.result import TABLE
from ..translation import _
from .session import Session

KEEP, NUMBER = 0, 1
WIDTHS = (40, 24, 48, 84, 46, 46)
"""Of the columns in pixels; the last takes what is left."""


class LesionTable:
    """The section Result, without the threshold."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._results: list[Result] = []
        self._filling = False
        table = ui.lesionTable
        for column, width in enumerate(WIDTHS):
            table.setColumnWidth(column, width)
        table.horizontalHeader().setStretchLastSection(True)
        table.verticalHeader().setVisible(False)
        table.itemChanged.connect(self._ticked)
        table.cellClicked.connect(self._jump)
        ui.resultBox.currentIndexChanged.connect(self._chosen)
        session.result_changed.connect(self._show)
        session.findings_changed.connect(self._fill)
        self._show()

    def step(self, by: int) -> None:
        """Jump to the next lesion, or with -1 to the one before."""
        table = self._ui.lesionTable
        rows = table.property("rowCount")
        if rows:
            row = (table.currentRow() + by) % rows
            table.selectRow(row)
            self._jump(row, NUMBER)

    def _show(self) -> None:
        session, box = self._session, self._ui.resultBox
        self._results = results_in(session.scene)
        self._filling = True
        box.clear()
        box.addItems([result.name for result in self._results])
        box.setCurrentIndex(self._results.index(session.result) if session.result in self._results else -1)
        self._filling = False
        box.setVisible(bool(self._results))
        self._ui.lesionTable.setVisible(session.result is not None)
        self._fill()

    def _fill(self) -> None:
        """Put the lesions of the mask as it is now into the table."""
        session, table = self._session, self._ui.lesionTable
        lesions = session.live.findings.lesions if session.live is not None else ()
        node = session.result.get(TABLE) if session.result is not None else None
        without = left_out(node) if node is not None else set()
        self._filling = True
        table.setSortingEnabled(False)
        table.setRowCount(len(lesions))
        for row, lesion in enumerate(lesions):
            table.setItem(row, KEEP, _box(lesion.number not in without))
            for column, value in enumerate(_cells(lesion), NUMBER):
                item = qt.QTableWidgetItem()
                # A number, not its text, so that 10 is sorted behind 9.
                item.setData(qt.Qt.DisplayRole, value)
                table.setItem(row, column, item)
        table.setSortingEnabled(True)
        table.resizeRowsToContents()
        self._filling = False
        self._ui.summaryLabel.setText(summary(session.result, lesions, without))

    def _number_in(self, row: int) -> int:
        return int(self._ui.lesionTable.item(row, NUMBER).data(qt.Qt.DisplayRole))

    def _jump(self, row: int, column: int) -> None:
        if self._session.result is None or column == KEEP:
            return
        try:
            # In the scene the lesions lie in the order of their numbers.
            self._session.comparison.jump_to(self._number_in(row) - 1)
        except (SceneError, IndexError) as error:
            self._session.messages.error(error)

    def _ticked(self, item: Any) -> None:
        if self._filling or item.column() != KEEP:
            return
        session = self._session
        try:
            kept = item.checkState() == qt.Qt.Checked
            set_kept(session.result.require(TABLE), self._number_in(item.row()), kept)
            session.live.apply_kept()
        except SceneError as error:
            session.messages.error(error)
            return
        session.kept_changed.emit()
        without = left_out(session.result.require(TABLE))
        self._ui.summaryLabel.setText(summary(session.result, session.live.findings.lesions, without))

    def _chosen(self) -> None:
        index = self._ui.resultBox.property("currentIndex")
        if self._filling or not 0 <= index < len(self._results):
            return
        try:
            self._session.show(self._results[index])
        except SceneError as error:
            self._session.messages.error(error)


def summary(result: Result | None, lesions: tuple[Lesion, ...], without: set[int]) -> str:
    """A result in two sentences: what was found, and how far it can be relied on."""
    if result is None:
        return _("No result yet.")
    kept = [lesion for lesion in lesions if lesion.number not in without]
    volume = sum(lesion.volume_ml for lesion in kept)
    found = _("No finding above the threshold.")
    if lesions:
        counted = _("1 finding, {volume:.1f} ml") if len(kept) == 1 else _("{number} findings, {volume:.1f} ml")
        found = counted.format(number=len(kept), volume=volume)
        found += _("; {number} left out.").format(number=len(without)) if without else "."
    quality = result.report.get("quality", {})
    if quality.get("verdict") not in (None, "ok"):
        reasons = " ".join(quality.get("reasons", ()))
        found += " " + _("Image quality: {verdict}. {reasons}").format(verdict=quality["verdict"], reasons=reasons)
    coverage = result.not_examined
    return f"{found} {coverage[:1].upper()}{coverage[1:]}."


def _box(kept: bool) -> Any:
    item = qt.QTableWidgetItem()
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked if kept else qt.Qt.Unchecked)
    return item


def _cells(lesion: Lesion) -> tuple[int | float | str, ...]:
    extent = "×".join(f"{length:.0f}" for length in lesion.extent_mm)
    return lesion.number, round(lesion.volume_ml, 2), extent, round(lesion.mean, 3), round(lesion.peak, 3), lesion.place
