"""The report, and the result as files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ..replacing import replacing
from ..report import Page, html
from ..scene import FORMATS, Result, SceneError, export, left_out, write_lesions
from ..scene.dicom_seg import write_dicom_seg
from ..scene.key_slices import key_slices
from ..scene.result import NOTICE, SCAN, TABLE
from ..translation import _
from .lesion_table import summary
from .session import Session


class ReportSection:
    """The section Report and export."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        ui.reportButton.clicked.connect(self.write_report)
        ui.csvButton.clicked.connect(self.write_table)
        ui.exportButton.clicked.connect(self.export)
        ui.segButton.clicked.connect(self.write_seg)
        session.result_changed.connect(self._show)
        self._show()

    def write_report(self) -> None:
        """One page; where it is written, it is opened."""
        path = self._session.application.file_to_write(_("Save report"), f"{_safe(self._session.result)}.html", "HTML (*.html)")
        if path is not None:
            self._told(lambda: [_written(path, html(page_of(self._session.result, self._session.live.findings.lesions)))])
            if path.is_file():
                self._session.application.open_file(path)

    def write_table(self) -> None:
        path = self._session.application.file_to_write(_("Save lesions"), f"{_safe(self._session.result)}.csv", "CSV (*.csv)")
        if path is not None:
            self._told(lambda: [write_lesions(self._session.result, path)])

    def export(self) -> None:
        """Mask and maps into a folder of their own."""
        folder = self._session.application.folder_to_write(_("Export mask and maps to"))
        if folder is not None:
            ending = FORMATS[self._ui.formatBox.property("currentIndex")]
            self._told(lambda: export(self._session.result, folder / _safe(self._session.result), ending))

    def write_seg(self) -> None:
        application, result = self._session.application, self._session.result
        path = application.file_to_write(_("Save DICOM SEG"), f"{_safe(result)}.dcm", "DICOM (*.dcm)")
        if path is not None:
            self._told(lambda: [write_dicom_seg(result, application.dicom_files(result.require(SCAN)), path)])

    def _told(self, write: Any) -> None:
        """Write files, and say which."""
        self._ui.exportLabel.setText("")
        try:
            files = write()
        except Exception as error:
            self._session.messages.error(error)
            return
        where = files[0] if len(files) == 1 else files[0].parent
        self._ui.exportLabel.setText(_("Written: {where}").format(where=where))

    def _show(self) -> None:
        self._ui.reportSection.setEnabled(self._session.result is not None)
        self._ui.exportLabel.setText("")


def page_of(result: Result, lesions: tuple) -> Page:
    """What the report of a result says.

    Raises:
        SceneError: its nodes are gone.
    """
    report, without = result.report, left_out(result.require(TABLE))
    scan, threshold, quality = result.get(SCAN), report.get("threshold", {}), report.get("quality", {})
    is_calibrated = result.threshold == threshold.get("value") and threshold.get("name") != "user"
    name = threshold["name"] if is_calibrated else _("own value")
    verdict, weights = result.noted("verdict"), str(report.get("weights", "?"))[:12]
    facts = (
        (_("Scan"), scan.GetName() if scan else report.get("scan", "")),
        (_("Sequence"), str(report.get("modality", ""))),
        (_("Model"), f"{report.get('model', '')} (version {report.get('package_version', '?')}, weights {weights})"),
        (_("Threshold"), f"{result.threshold:g} ({name}), score {threshold.get('score', '')}"),
        (_("Image quality"), " ".join([str(quality.get("verdict", "")), *map(str, quality.get("reasons", ()))])),
        (_("Reviewer"), result.noted("reviewer") or _("not reviewed")),
        *(((_("Verdict"), f"{verdict}. {result.noted('comment')}"),) if verdict else ()),
        (_("Written"), datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")),
    )
    kept = [lesion for lesion in lesions if lesion.number not in without]
    return Page(
        title=_("Anomaly detection: {name}").format(name=result.name),
        facts=facts,
        summary=summary(result, lesions, without),
        lesions=lesions,
        left_out=frozenset(without),
        slices=key_slices(result, kept),
        notice=NOTICE,
    )


def _written(path: Path, text: str) -> Path:
    try:
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SceneError(f"{path.name} cannot be written to {path.parent} ({error.strerror}).") from error
    return path


def _safe(result: Result) -> str:
    """The name of a result as a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in result.name)
