"""The DICOM side of an answer: which results a request asks for as DICOM, and where they go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.archive import Archive
from umaddpm_core.serving.dicom.datastore import ArchiveDatastore
from umaddpm_core.serving.dicom.parametric_map import parametric_map
from umaddpm_core.serving.dicom.segmentation import NO_FINDING, segmentation
from umaddpm_core.serving.dicom.source_series import SourceSeries, source_series
from umaddpm_core.serving.parameters import ARCHIVE_EXTENSION, SEG_EXTENSION, Parameters

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore
    from pydicom.dataset import Dataset

    from umaddpm_core.detection import Detection

SEG_FILE, MAP_FILE = "mask.dcm", "anomaly_map.dcm"


class DicomAnswer:
    """Decides before the detection what can be answered, and writes it afterwards.

    Args:
        scan: that the request names.
        parameters: of the request.
        datastore: of the server; results are stored where it is an archive and `parameters.write_back` says so.

    Raises:
        InputError: the request asks for DICOM that this scan cannot have, or for write-back where there is no archive.
    """

    def __init__(self, scan: Path, parameters: Parameters, datastore: Datastore) -> None:
        self._archive = _archive_of(scan, datastore) if parameters.write_back else None
        self._extension = parameters.result_extension
        self._source: SourceSeries | None = None
        self._note = ""
        self.files: dict[str, Dataset] = {}
        if self._extension not in (SEG_EXTENSION, ARCHIVE_EXTENSION) and not self._archive:
            return
        try:
            self._source = source_series(scan, parameters.series)
        except InputError as error:
            if self._extension == SEG_EXTENSION or self._archive:
                raise
            # The volumes of the archive are worth having without DICOM, and if the scan is at fault its reader says so.
            self._note = str(error)
        if self._source is None and self._extension == SEG_EXTENSION:
            raise InputError(f"{scan.name} is no DICOM series, so there is no DICOM SEG of it; ask for .nii.gz, .nrrd or .zip.")

    def complete(self, detection: Detection, *, wants_file: bool = True) -> Detection:
        """Write what was asked for into `files` and the archive, and an account of it into the report (`dicom`).

        Raises:
            InputError: the headers of the series allow no result.
            ArchiveUnavailable: the results could not be stored; the detection is remembered, so asking again is cheap.
        """
        if self._source is None:
            return _accounted(detection, {"note": self._note}) if self._note else detection
        if not wants_file and not self._archive:
            return detection
        try:
            mask = segmentation(detection, self._source)
            if mask is not None:
                self.files[SEG_FILE] = mask
            if self._extension == ARCHIVE_EXTENSION or self._archive:
                self.files[MAP_FILE] = parametric_map(detection, self._source)
        except InputError as error:
            if self._extension == SEG_EXTENSION or self._archive:
                raise
            self.files.clear()
            return _accounted(detection, {"note": str(error)})
        if self._archive:
            self._archive.store(list(self.files.values()))
        account = {
            "segmentation": _uid(self.files.get(SEG_FILE)),
            "parametric_map": _uid(self.files.get(MAP_FILE)),
            "written_back": self._archive is not None,
        }
        return _accounted(detection, account if mask is not None else {**account, "note": NO_FINDING})


def _archive_of(scan: Path, datastore: Datastore) -> Archive:
    if not isinstance(datastore, ArchiveDatastore) or not datastore.holds(scan):
        raise InputError("`write_back` works for series of the DICOM archive that a server serves, and this scan is none.")
    return datastore.archive


def _uid(result: Dataset | None) -> str | None:
    return None if result is None else str(result.SOPInstanceUID)


def _accounted(detection: Detection, account: dict) -> Detection:
    return replace(detection, report={**detection.report, "dicom": account})
