"""MONAI Label's index of images and labels, safe against a crash at any moment and against two processes that write."""

from __future__ import annotations

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
from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore, LocalDatastoreModel
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from umaddpm_core.data.replacing import remove_left_behind, replacing
from umaddpm_core.serving.review.scores import require_figures
from umaddpm_core.serving.review.verdict import reviewed

UNREADABLE = ".unreadable.json"
"""In place of the suffix of an index that was put aside."""

logger = logging.getLogger(__name__)


class DurableIndex(LocalDatastore):
    """Keeps labels, and what is known of images and labels.

    The stock one writes its index in place, so that a process killed there leaves a server that does not start; and it
    writes what it remembers, so that a job and the server undo each other's changes. Here index and labels are written to a
    temporary name and then replaced, and under the lock the index is read again before every change. What is said of an
    image or a label is checked as `scores.require_figures` and `verdict.reviewed` say.
    """

    def __init__(self, path: str, **options: Any) -> None:
        for folder in (Path(path), *Path(path).glob("labels/*")):
            remove_left_behind(folder)
        LocalDatastore.__init__(self, path, **options)

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Keep a label of an image under a tag in place of an earlier one.

        Raises:
            InputError: the info holds a review that is none.
            ImageNotFoundException: there is no such image.
        """
        info = reviewed(label_info or {})
        with self._changing() as objects:
            labels = self._entry(objects, image_id).labels
            _, extension = self._to_id(os.path.basename(label_filename))
            name = self._filename(image_id, extension)
            folder = Path(self._datastore.label_path(label_tag))
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / name) as temporary:
                shutil.copy(label_filename, temporary)
            before = labels.get(label_tag)
            if before and before.ext != extension:
                (folder / self._filename(image_id, before.ext)).unlink(missing_ok=True)
            labels[label_tag] = DataModel(info={**info, "ts": int(time.time()), "name": name}, ext=extension)
        return image_id

    def remove_label(self, label_id: str, label_tag: str) -> None:
        """Delete a label of an image.

        Raises:
            LabelNotFoundException: there is no such label.
        """
        with self._changing() as objects:
            _label(objects, label_id, label_tag)
            Path(self.get_label_uri(label_id, label_tag)).unlink(missing_ok=True)
            del objects[label_id].labels[label_tag]

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Add to what is known of an image.

        Raises:
            InputError: the info holds figures that are none.
            ImageNotFoundException: there is no such image.
        """
        require_figures(info)
        with self._changing() as objects:
            self._entry(objects, image_id).image.info.update(info)

    def update_label_info(self, label_id: str, label_tag: str, info: dict[str, Any]) -> None:
        """Add to what is known of a label.

        Raises:
            InputError: the info holds a review that is none.
            LabelNotFoundException: there is no such label.
        """
        info = reviewed(info)
        with self._changing() as objects:
            _label(objects, label_id, label_tag).info.update(info)

    def _entry(self, objects: dict[str, ImageLabelModel], image_id: str) -> ImageLabelModel:
        """That of an image among the objects; raises ImageNotFoundException."""
        if image_id not in objects:
            raise ImageNotFoundException(f"There is no image {image_id!r} in the datastore.")
        return objects[image_id]

    def _remove_labels(self, image_id: str) -> list[str]:
        """Delete the files with labels of an image, and an unreadable index that names it; the tags. The lock is held."""
        folder = Path(self._datastore.label_path(None))
        files = [file for file in sorted(folder.glob("*/*")) if file.is_file() and self._to_id(file.name)[0] == image_id]
        for file in files:
            file.unlink(missing_ok=True)
        unreadable = Path(self._datastore_config_path).with_suffix(UNREADABLE)
        if unreadable.is_file() and image_id.encode() in unreadable.read_bytes():
            unreadable.unlink()
        return sorted({file.parent.name for file in files})

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ImageLabelModel]]:
        """The current objects under the lock; written when the block ends without an error."""
        with self._exclusive:
            self._init_from_datastore_file()
            yield self._datastore.objects
            self._update_datastore_file()

    @cached_property
    def _exclusive(self) -> FileLock:
        """Between processes and between threads; a thread that has it can take it again."""
        return FileLock(self._lock_file)

    def _init_from_datastore_file(self, throw_exception: bool = False) -> None:
        """Read the index where it changed; one that cannot be read is put aside, and a new one is made."""
        with self._exclusive:
            index = Path(self._datastore_config_path)
            if not index.exists() or _state(index) == self._config_ts:
                return
            try:
                self._datastore = LocalDatastoreModel.model_validate_json(index.read_text())
            except ValueError:
                aside = index.with_suffix(UNREADABLE)
                os.replace(index, aside)
                logger.error("%s cannot be read; it is kept as %s, and a new one is made.", index.name, aside.name)
                return
            self._datastore.base_path = self._datastore_path
            self._config_ts = _state(index)

    def _update_datastore_file(self, lock: bool = True) -> None:
        # Stock methods that ask for no lock hold one of their own.
        with self._exclusive if lock else nullcontext():
            index = Path(self._datastore_config_path)
            with replacing(index) as temporary, temporary.open("w") as file:
                json.dump(self._datastore.model_dump(exclude={"base_path"}), file, indent=2, default=str)
                file.flush()
                os.fsync(file.fileno())
            self._config_ts = _state(index)


def _state(index: Path) -> tuple[int, int]:
    """Another one for every index that replaced the one before, also within one tick of the clock."""
    found = index.stat()
    return found.st_mtime_ns, found.st_ino


def _label(objects: dict[str, ImageLabelModel], label_id: str, label_tag: str) -> DataModel:
    label = objects[label_id].labels.get(label_tag) if label_id in objects else None
    if label is None:
        raise LabelNotFoundException(f"There is no label of {label_id!r} under the tag {label_tag!r}.")
    return label
