"""Which series of an archive a person has segmented."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom.dataset import Dataset

from umaddpm_core.serving.dicom.archive import Archive, ArchivedSeries


class Annotated:
    """Remembers of every SEG which series it refers to, as asking costs one request each.

    Args:
        archive: is asked.
        limit: SEG that are looked at, at most.
    """

    def __init__(self, archive: Archive, limit: int) -> None:
        self._archive = archive
        self._limit = limit
        self._seen: dict[str, set[str]] = {}

    def among(self, series: Mapping[str, ArchivedSeries]) -> set[str]:
        """UIDs of those series that a SEG refers to which is not an algorithm's alone.

        Raises:
            ArchiveUnavailable: no answer.
        """
        studies = {one.study for one in series.values()}
        found: set[str] = set()
        for segmentation in self._archive.series({"Modality": "SEG"}, self._limit).values():
            if segmentation.study not in studies:
                continue
            if segmentation.uid not in self._seen:
                self._seen[segmentation.uid] = _accepted(self._archive.metadata(segmentation))
            found |= self._seen[segmentation.uid]
        return found & set(series)


def _accepted(header: Dataset) -> set[str]:
    """The series that a SEG refers to; none where an algorithm made every segment of it."""
    if all(segment.get("SegmentAlgorithmType") == "AUTOMATIC" for segment in header.get("SegmentSequence") or []):
        return set()
    return {str(one.SeriesInstanceUID) for one in header.get("ReferencedSeriesSequence") or []}
