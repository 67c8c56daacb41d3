"""The folder of scans and labels."""

from __future__ import annotations

import fnmatch
import os
import shutil
import time
import zipfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from monailabel.datastore.local import DataModel, ImageLabelModel

from umaddpm_core.data.replacing import replacing
from umaddpm_core.serving.durable_index import DurableIndex
from umaddpm_core.serving.review.scores import require_figures


class DurableDatastore(DurableIndex):
    """MONAI Label's folder with a durable index; what lies in the folder and is not in the index is added to it."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path, **options)
        if self._auto_reload:
            # A replaced index is a moved file; whoever wrote it, what is current already is not read again.
            self._handler.on_moved = self._on_any_event

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Keep a scan, and what is known of it; it has no labels.

        Args:
            image_id: by default the name of the file.

        Raises:
            InputError: the info holds figures that are none.
        """
        require_figures(image_info or {})
        name_of_file, extension = self._to_id(os.path.basename(image_filename))
        image_id = image_id or name_of_file
        name = self._filename(image_id, extension)
        with self._changing() as objects:
            with replacing(Path(self._datastore.image_path()) / name) as temporary:
                shutil.copy(image_filename, temporary)
            info = {**(image_info or {}), "ts": int(time.time()), "name": name}
            objects[image_id] = ImageLabelModel(image=DataModel(info=info, ext=extension))
        return image_id

    def held(self, image_id: str) -> AbstractContextManager[Path]:
        """The file of a scan, as for `get_image_uri`; what lies in the folder stays there."""
        return nullcontext(Path(self.get_image_uri(image_id)))

    def write_dataset(self, path: Path, limit_cases: int | None) -> None:
        """Write a zip archive of the scans with a `final` label, their labels, and the index.

        Args:
            limit_cases: the most; a number that is none of theirs limits nothing, as in stock MONAI Label.
        """
        pairs = self.datalist()
        pairs = pairs[:limit_cases] if limit_cases and 0 < limit_cases < len(pairs) else pairs
        with zipfile.ZipFile(path, "w") as archive:
            for pair in pairs:
                for kind, file in pair.items():
                    archive.write(file, f"{kind}/{os.path.basename(file)}")
            archive.writestr("metadata.json", self._datastore.model_dump_json(exclude={"base_path"}))

    def known_cases(self) -> list[str]:
        """Ids of which anything is kept here: those of the images."""
        return self.list_images()

    def remove_case(self, image_id: str) -> dict[str, list[str]]:
        """Delete a scan with its labels under all tags, and whatever else of it lies here.

        Before the index forgets the scan its labels are gone, and afterwards its file: whenever this is broken off, the scan
        is listed at the next start, and the same call does the rest.

        Returns:
            Names of the `image` files and tags of the `labels` that were deleted, where there were any.
        """
        with self._exclusive:
            self._init_from_datastore_file()
            tags = self._remove_labels(image_id)
            if self._datastore.objects.pop(image_id, None) is not None:
                self._update_datastore_file()
            images = self._files_of(image_id)
            for file in images:
                file.unlink(missing_ok=True)
        found = {"image": [file.name for file in images], "labels": tags}
        return {kind: names for kind, names in found.items() if names}

    def _files_of(self, image_id: str) -> list[Path]:
        """Files with the scan, of whatever format; more than one where somebody put them there."""
        folder = Path(self._datastore.image_path())
        served = {name for pattern in self._extensions for name in fnmatch.filter(os.listdir(folder), pattern)}
        return [folder / name for name in sorted(served) if self._to_id(name)[0] == image_id]

    def _reconcile_datastore(self) -> None:
        with self._exclusive:
            super()._reconcile_datastore()

    def _remove_non_existing(self) -> int:
        # The stock one empties its list and fills it again, in which moment other threads see no image at all.
        images, folder = self._datastore.objects, Path(self._datastore.image_path())
        gone = any(
            not (folder / self._filename(image, found.image.ext)).exists()
            or any(not (Path(self._datastore.label_path(tag)) / self._filename(image, label.ext)).exists() for tag, label in found.labels.items())
            for image, found in images.items()
        )
        return super()._remove_non_existing() if gone else 0
