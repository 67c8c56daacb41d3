"""A folder of scans from which no link leads out."""

from __future__ import annotations

import glob
import logging
from pathlib import Path
from typing import Any

from monailabel.config import settings

from umaddpm_core.errors import InputError
from umaddpm_core.serving.durable_datastore import DurableDatastore
from umaddpm_core.serving.security.confinement import inside

logger = logging.getLogger(__name__)


class ConfinedDatastore(DurableDatastore):
    """The durable datastore of a folder, which reads and writes nothing outside of it, and replaces no scan by an upload."""

    def get_image_uri(self, image_id: str) -> str:
        """Path of a scan, or "" for an unknown one; raises InputError for one that lies outside."""
        return self._confined(super().get_image_uri(image_id))

    def get_label_uri(self, label_id: str, label_tag: str) -> str:
        """Path of a label, or "" for an unknown one; raises InputError for one that lies outside."""
        return self._confined(super().get_label_uri(label_id, label_tag))

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """As the durable one; raises InputError where there is such an image, or another file in its place."""
        identifier, extension = self._to_id(Path(image_filename).name)
        image_id = image_id or identifier
        place = Path(self._datastore.image_path()) / self._filename(image_id, extension)
        with self._exclusive:
            self._init_from_datastore_file()
            if image_id in self._datastore.objects or place.exists() or place.is_symlink():
                raise InputError(f"There is an image {image_id!r} already; remove it before another takes its name.")
            return super().add_image(image_id, image_filename, image_info)

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """As the durable one; raises InputError where a link leads out as well."""
        _, extension = self._to_id(Path(label_filename).name)
        place = Path(self._datastore.label_path(label_tag)) / self._filename(image_id, extension)
        self._confined(str(place))
        return super().save_label(image_id, label_filename, label_tag, label_info)

    def _list_files(self, path: str, patterns: list[str]) -> dict[str, str]:
        found = super()._list_files(path, patterns)
        kept = {}
        for name, file in found.items():
            try:
                self._confined(str(Path(path) / file))
                kept[name] = file
            except InputError:
                logger.warning("%s is a link out of the folder of scans, and is not served.", name)
        return kept

    def _remove_non_existing(self) -> int:
        """The index may name what was a link out when it was written."""
        removed = super()._remove_non_existing()
        images = self._datastore.image_path()
        out = [
            name
            for name, scan in self._datastore.objects.items()
            if not self._list_files(images, [glob.escape(self._filename(name, scan.image.ext))])
        ]
        for name in out:
            del self._datastore.objects[name]
        return removed + len(out)

    def _confined(self, path: str) -> str:
        return str(inside(self._datastore_path, path)) if path else ""


def folder_of_scans(folder: str) -> ConfinedDatastore:
    """The datastore of a folder, with the settings of MONAI Label."""
    return ConfinedDatastore(
        folder,
        extensions=settings.MONAI_LABEL_DATASTORE_FILE_EXT,
        auto_reload=settings.MONAI_LABEL_DATASTORE_AUTO_RELOAD,
        read_only=settings.MONAI_LABEL_DATASTORE_READ_ONLY,
    )
