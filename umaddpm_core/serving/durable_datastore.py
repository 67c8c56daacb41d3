"""The folder of scans and labels, safe against a crash at any moment and against two processes that write."""

from __future__ import annotations

import fnmatch
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock
from monailabel.datastore.local import DataModel, LocalDatastore, LocalDatastoreModel
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from umaddpm_core.data.replacing import remove_left_behind, replacing
from umaddpm_core.serving.review.verdict import reviewed

UNREADABLE = ".unreadable.json"
"""In place of the suffix of an index that was put aside."""

logger = logging.getLogger(__name__)


class DurableDatastore(LocalDatastore):
    """MONAI Label's folder, whose index and labels are written to a temporary name and then replaced.

    The stock one writes its index in place, so that a process killed there leaves a server that does not start; and it
    writes what it remembers, so that a batch job and the server undo each other's changes. Here the index is read again
    under the lock before every change. A label's info is checked as `verdict.reviewed` says.
    """

    def __init__(self, path: str, **options: Any) -> None:
        for folder in (Path(path), *Path(path).glob("labels/*")):
            remove_left_behind(folder)
        super().__init__(path, **options)
        if self._auto_reload:
            # A replaced index is a moved file; whoever wrote it, what is current already is not read again.
            self._handler.on_moved = self._on_any_event

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Keep a label of an image under a tag in place of an earlier one.

        Raises:
            InputError: the info holds a review that is none.
            ImageNotFoundException: there is no such image.
        """
        info = reviewed(label_info or {})
        with self._changing() as objects:
            if image_id not in objects:
                raise ImageNotFoundException(f"There is no image {image_id!r} in the datastore.")
            _, extension = self._to_id(os.path.basename(label_filename))
            name = self._filename(image_id, extension)
            folder = Path(self._datastore.label_path(label_tag))
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / name) as temporary:
                shutil.copy(label_filename, temporary)
            before = objects[image_id].labels.get(label_tag)
            if before and before.ext != extension:
                (folder / self._filename(image_id, before.ext)).unlink(missing_ok=True)
            objects[image_id].labels[label_tag] = DataModel(info={**info, "ts": int(time.time()), "name": name}, ext=extension)
        return image_id

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Add to what is known of an image.

        Raises:
            ImageNotFoundException: there is no such image.
        """
        with self._changing() as objects:
            if image_id not in objects:
                raise ImageNotFoundException(f"There is no image {image_id!r} in the datastore.")
            objects[image_id].image.info.update(info)

    def update_label_info(self, label_id: str, label_tag: str, info: dict[str, Any]) -> None:
        """Add to what is known of a label.

        Raises:
            InputError: the info holds a review that is none.
            LabelNotFoundException: there is no such label.
        """
        info = reviewed(info)
        with self._changing() as objects:
            label = objects[label_id].labels.get(label_tag) if label_id in objects else None
            if label is None:
                raise LabelNotFoundException(f"There is no label of {label_id!r} under the tag {label_tag!r}.")
            label.info.update(info)

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
            labels = label_files(self, image_id)
            for file in labels:
                file.unlink(missing_ok=True)
            unreadable = Path(self._datastore_config_path).with_suffix(UNREADABLE)
            if unreadable.is_file() and image_id.encode() in unreadable.read_bytes():
                unreadable.unlink()
            if self._datastore.objects.pop(image_id, None) is not None:
                self._update_datastore_file()
            images = self._files_of(image_id)
            for file in images:
                file.unlink(missing_ok=True)
        found = {"image": [file.name for file in images], "labels": sorted({file.parent.name for file in labels})}
        return {kind: names for kind, names in found.items() if names}

    def _files_of(self, image_id: str) -> list[Path]:
        """Files with the scan, of whatever format; more than one where somebody put them there."""
        folder = Path(self._datastore.image_path())
        served = {name for pattern in self._extensions for name in fnmatch.filter(os.listdir(folder), pattern)}
        return [folder / name for name in sorted(served) if self._to_id(name)[0] == image_id]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The current objects under the lock; written when the block ends without an error."""
        with self._exclusive:
            self._init_from_datastore_file()
            yield self._datastore.objects
            self._update_datastore_file()

    @cached_property
    def _exclusive(self) -> FileLock:
        """Between processes and between threads; a thread that has it can take it again."""
        return FileLock(self._lock_file)

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

    def _init_from_datastore_file(self, throw_exception: bool = False) -> None:
        """Read the index where it changed; one that cannot be read is put aside, and the files tell what there is."""
        with self._exclusive:
            index = Path(self._datastore_config_path)
            if not index.exists() or index.stat().st_mtime == self._config_ts:
                return
            try:
                self._datastore = LocalDatastoreModel.model_validate_json(index.read_text())
            except ValueError:
                aside = index.with_suffix(UNREADABLE)
                os.replace(index, aside)
                logger.error("%s cannot be read; it is kept as %s, and a new one is made.", index.name, aside.name)
                return
            self._datastore.base_path = self._datastore_path
            self._config_ts = index.stat().st_mtime

    def _update_datastore_file(self, lock: bool = True) -> None:
        # Stock methods that ask for no lock hold one of their own.
        with self._exclusive if lock else nullcontext():
            index = Path(self._datastore_config_path)
            with replacing(index) as temporary, temporary.open("w") as file:
                json.dump(self._datastore.model_dump(exclude={"base_path"}), file, indent=2, default=str)
                file.flush()
                os.fsync(file.fileno())
            self._config_ts = index.stat().st_mtime


def label_files(datastore: LocalDatastore, image_id: str) -> list[Path]:
    """The files with labels of an image, under all tags."""
    folder = Path(datastore._datastore.label_path(None))
    return [file for file in sorted(folder.glob("*/*")) if file.is_file() and datastore._to_id(file.name)[0] == image_id]
