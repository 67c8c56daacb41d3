"""MONAI Label's datastore on a DICOM archive: nothing is fetched before somebody asks for it."""

from __future__ import annotations

import copy
import os
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from monailabel.config import settings
from monailabel.datastore.dicom import DICOMWebDatastore
from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore
from monailabel.interfaces.datastore import DefaultLabelTag
from monailabel.utils.others.generic import md5_digest

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_mask, read_scan, same_grid
from umaddpm_core.preprocessing.reading.files import READABLE
from umaddpm_core.serving.dicom.annotated import Annotated
from umaddpm_core.serving.dicom.archive import Archive
from umaddpm_core.serving.dicom.listing import Listing
from umaddpm_core.serving.dicom.segmentation import accepted_segmentation
from umaddpm_core.serving.dicom.series_cache import SeriesCache
from umaddpm_core.serving.dicom.source_series import source_series
from umaddpm_core.serving.durable_index import DurableIndex
from umaddpm_core.serving.review.verdict import reviewed

CACHE_MB_VARIABLE = "UMADDPM_ARCHIVE_CACHE_MB"
"""Environment variable with the size that all fetched series together may have on disk, MB."""
CACHE_MB = 4096
LISTED_VARIABLE = "UMADDPM_ARCHIVE_LISTED"
"""Environment variable with the number of series that are listed at most; any other can still be named by its UID."""
LISTED = 1000

MR = {"Modality": "MR"}
PATH = "path"
"""In the info of an image of a folder, where its file lies; a series of an archive has none."""


class ArchiveDatastore(DurableIndex, DICOMWebDatastore):
    """Series of an archive by SeriesInstanceUID.

    Stock MONAI Label converts series by SimpleITK, keeps every one for ever, asks for each SEG of the archive to tell what
    is labelled, and needs a program that it downloads. Here a series is a folder of its files in a bounded cache, for our
    own reader; only the series that are listed are looked at; and SEG are written by highdicom.

    Args:
        archive: where the scans are.
        folder: for fetched series and for labels that are not final.
        filters: QIDO-RS search that says which series are listed.
        cache_mb, listed: see `CACHE_MB_VARIABLE` and `LISTED_VARIABLE`.
        seconds: for which a list of series is good.
    """

    def __init__(
        self, archive: Archive, folder: Path, *, filters: dict[str, Any], cache_mb: int, listed: int, seconds: float
    ) -> None:
        self.archive, self._client = archive, archive.client
        self._cache = SeriesCache(folder / "series", cache_mb << 20)
        self._listing = Listing(lambda: archive.series(filters, listed), seconds)
        annotated = Annotated(archive, listed)
        self._annotated = Listing(lambda: annotated.among(self._listing.get()), seconds)
        # Past the stock constructor, which would watch every file of the cache; and without reconciling, which would
        # forget the labels of a series that was evicted.
        DurableIndex.__init__(self, str(folder), images_dir="series", auto_reload=False, read_only=True)

    def name(self) -> str:
        """Address of the archive."""
        return self.archive.url

    def list_images(self) -> list[str]:
        """UIDs of the series that are listed.

        Raises:
            ArchiveUnavailable: no answer.
        """
        return list(self._listing.get())

    def get_labeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Listed series with a SEG that a person made or corrected, in the archive or kept here."""
        self._reread()
        here = LocalDatastore.get_labeled_images(self)
        annotated = self._annotated.get() | set(here)
        return [uid for uid in self.list_images() if uid in annotated]

    def get_unlabeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Listed series without such a SEG."""
        labelled = set(self.get_labeled_images())
        return [uid for uid in self.list_images() if uid not in labelled]

    def get_image_uri(self, image_id: str) -> str:
        """Folder with the files of a series, fetched where it is not in the cache.

        Raises:
            NotFound: no such series.
            InputError: it is no MR series.
            ArchiveUnavailable: no answer.
        """
        return str(self._cache.path(image_id, partial(self._fetch, image_id)))

    def held(self, image_id: str) -> AbstractContextManager[Path]:
        """The folder of a series, which stays while the context lasts; errors as for `get_image_uri`."""
        return self._cache.held(image_id, partial(self._fetch, image_id))

    def holds(self, scan: Path) -> bool:
        """Whether a scan was fetched from the archive."""
        return scan.parent == self._cache.folder

    def known_cases(self) -> list[str]:
        """UIDs of the series of which anything is kept here: files, labels or notes."""
        self._reread()
        return sorted({*self._datastore.objects, *self._cache.kept()})

    def volume(self, image_id: str, path: Path) -> None:
        """Write a series as one image, for clients that do not read DICOM; errors as for `get_image_uri`."""
        with self.held(image_id) as folder:
            sitk.WriteImage(read_scan(folder, series=image_id).image, str(path), useCompression=True)

    def get_image_info(self, image_id: str) -> dict[str, Any]:
        """What is known of a series without asking the archive; nothing that names the patient."""
        known = (self._listing.known() or {}).get(image_id)
        stored = self._datastore.objects.get(image_id)
        noted = copy.deepcopy(stored.image.info) if stored else {}
        # Earlier versions of this program let it be noted.
        noted.pop(PATH, None)
        return {**(known.facts if known else {}), **noted}

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Note something of a series.

        Raises:
            InputError: figures that are none, or a path.
        """
        if PATH in info:
            raise InputError(f"`{PATH}` cannot be noted of a series; it is in the archive.")
        super().update_image_info(image_id, info)

    def save_label(
        self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any], label_id: str = ""
    ) -> str:
        """Keep a mask of a series; a `final` one also goes to the archive as SEG, unless it is empty.

        Raises:
            NotFound: no such series.
            InputError: no image that is read, one on another grid, or the info holds a review that is none.
            ArchiveUnavailable: the archive did not take it.
        """
        info = reviewed(label_info or {})
        if not label_filename.lower().endswith(READABLE):
            raise InputError(f"A label has to be an image ({', '.join(READABLE)}).")
        with self.held(image_id) as folder:
            mask = read_mask(Path(label_filename))
            if not same_grid(mask, read_scan(folder, series=image_id).image, tolerance=0.01):
                raise InputError("The label is not on the grid of its series.")
            if label_tag == DefaultLabelTag.FINAL.value:
                written = accepted_segmentation(mask, source_series(folder, image_id))
                if written is not None:
                    self.archive.store([written])
        kept = super().save_label(image_id, label_filename, label_tag, info)
        self._annotated.forget()
        return kept

    def remove_label(self, label_id: str, label_tag: str) -> None:
        """Delete a label that is kept here; the archive keeps its SEG.

        Raises:
            LabelNotFoundException: there is no such label.
        """
        super().remove_label(label_id, label_tag)
        self._annotated.forget()

    def get_label_uri(self, label_id: str, label_tag: str, image_id: str = "") -> str:
        """A label that was kept here; those that are only in the archive are not fetched."""
        return LocalDatastore.get_label_uri(self, label_id, label_tag)

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Refused: scans come to the archive by other ways.

        Raises:
            InputError: always.
        """
        raise InputError("This server serves a DICOM archive; scans are added to the archive, not here.")

    def remove_image(self, image_id: str) -> None:
        """Refused, as `add_image`."""
        raise InputError("This server serves a DICOM archive, and removes nothing from it.")

    def remove_case(self, image_id: str) -> dict[str, list[str]]:
        """Delete what is kept here of a series: its files, labels and notes; the archive keeps all of its own.

        Returns:
            The UID under `archive_cache`, and tags of the `labels`, where there were any.
        """
        with self._exclusive:
            self._reread()
            tags = self._remove_labels(image_id)
            noted = self._datastore.objects.pop(image_id, None) is not None
            if noted:
                self._update_datastore_file()
        cached = self._cache.remove(image_id)
        self._annotated.forget()
        found = {"archive_cache": [image_id] if cached else [], "labels": tags, "notes": [image_id] if noted else []}
        return {kind: names for kind, names in found.items() if names}

    def write_dataset(self, path: Path, limit_cases: int | None) -> None:
        """Refused, as `add_image`."""
        raise InputError("This server serves a DICOM archive, which is no data set to download.")

    def expire(self, seconds: float) -> None:
        """Delete the fetched series that nobody asked for within this time."""
        self._cache.expire(seconds)

    def refresh(self) -> None:
        """Ask the archive anew the next time."""
        self._listing.forget()
        self._annotated.forget()

    def datalist(self, full_path: bool = True) -> list[dict[str, Any]]:
        """Nothing: stock MONAI Label would download every labelled series here."""
        return []

    def status(self) -> dict[str, Any]:
        """Counts as of the last answer of the archive, at once also where it is down."""
        self._reread()
        listed, annotated = self._listing.known(), self._annotated.known()
        tags = [tag for stored in self._datastore.objects.values() for tag in stored.labels]
        return {
            "total": len(listed or {}),
            "completed": len((annotated or set()) | set(LocalDatastore.get_labeled_images(self))),
            "label_tags": {tag: tags.count(tag) for tag in set(tags)},
        }

    def json(self) -> dict[str, Any]:
        """The listed series with their labels.

        Raises:
            ArchiveUnavailable: no answer.
        """
        self._reread()
        objects = {}
        for uid in self._listing.get():
            stored = self._datastore.objects.get(uid)
            labels = stored.model_dump()["labels"] if stored else {}
            objects[uid] = {"image": {"ext": "", "info": self.get_image_info(uid)}, "labels": labels}
        return {"name": self.name(), "description": "DICOM archive", "objects": objects}

    def _fetch(self, uid: str, folder: Path) -> None:
        series = self.archive.find(uid)
        if series.modality != "MR":
            raise InputError(f"The series {uid} is not an MR scan (DICOM Modality {series.modality or 'empty'}).")
        self.archive.fetch(series, folder)

    def _reread(self) -> None:
        """Batch jobs keep labels from a process of their own."""
        self._init_from_datastore_file()

    def _entry(self, objects: dict[str, ImageLabelModel], image_id: str) -> ImageLabelModel:
        # The index has those series alone of which something is kept.
        return objects.setdefault(image_id, ImageLabelModel(image=DataModel()))


def configured_datastore(url: str) -> ArchiveDatastore:
    """The datastore of an archive, with MONAI Label's settings for one and ours.

    Raises:
        InputError: a setting that cannot be used.
    """
    user, password = settings.MONAI_LABEL_DICOMWEB_USERNAME, settings.MONAI_LABEL_DICOMWEB_PASSWORD
    prefixes = settings.MONAI_LABEL_QIDO_PREFIX, settings.MONAI_LABEL_WADO_PREFIX, settings.MONAI_LABEL_STOW_PREFIX
    filters = settings.MONAI_LABEL_DICOMWEB_SEARCH_FILTER
    archive = Archive(url, (user, password) if user and password else None, prefixes)
    cache = settings.MONAI_LABEL_DICOMWEB_CACHE_PATH.strip() or Path.home() / ".cache" / "umaddpm" / "archive"
    return ArchiveDatastore(
        archive,
        Path(cache).resolve() / md5_digest(archive.url),
        # Stock MONAI Label searches CT, of which this program reads none.
        filters=MR if filters == {"Modality": "CT"} else filters,
        cache_mb=_number(CACHE_MB_VARIABLE, CACHE_MB),
        listed=_number(LISTED_VARIABLE, LISTED),
        seconds=settings.MONAI_LABEL_DICOMWEB_CACHE_EXPIRY,
    )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{variable} is {text!r}; it has to be a whole number of at least 1.")
    return int(text)
