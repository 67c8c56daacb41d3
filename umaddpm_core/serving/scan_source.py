"""From what a request names (an image of the datastore, a session, an upload) to a scan on disk."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.security.confinement import inside

if TYPE_CHECKING:
    from monailabel.interfaces.app import MONAILabelApp


def stored_scan(app: MONAILabelApp, image: str, session_id: str) -> Path:
    """The scan of a session, else of the datastore. `image` is an id, never a path.

    Raises:
        NotFound: no such session or image.
        InputError: the request names neither.
        ArchiveUnavailable: the datastore is an archive that does not answer.
    """
    if session_id:
        sessions = app.sessions()
        # Session ids become folder names, so anything but an id is not looked up at all.
        # An empty store is false, and still has the sessions on disk of an earlier server.
        known = sessions.get_session(session_id) if sessions is not None and re.fullmatch(r"[\w-]+", session_id) else None
        if known is None:
            raise NotFound(f"There is no session {session_id!r}; it may have expired, so send the scan again.")
        return inside(sessions.store_path, known.image)
    if not image:
        raise InputError("The request names no scan: give an image id or a session id, or send a file.")
    known = _is_archive(app) or image in app.datastore().list_images()
    path = app.datastore().get_image_uri(image) if known else ""
    if not path:
        raise NotFound(f"There is no image {image!r} in the datastore of this server.")
    return Path(path)


def held_scan(app: MONAILabelApp, image: str, session_id: str) -> AbstractContextManager[Path]:
    """The same, fetched now where it comes from an archive, and kept on disk while the context lasts."""
    path = stored_scan(app, image, session_id)
    return app.datastore().held(image) if _is_archive(app) and not session_id else nullcontext(path)


def _is_archive(app: MONAILabelApp) -> bool:
    from umaddpm_core.serving.dicom.datastore import ArchiveDatastore

    return isinstance(app.datastore(), ArchiveDatastore)


@contextmanager
def uploaded_scan(file: BinaryIO, name: str | None) -> Iterator[Path]:
    """The uploaded file in a folder of its own that is removed afterwards; otherwise as `keep_upload`."""
    with tempfile.TemporaryDirectory(prefix="anomaly-scan-") as folder:
        yield keep_upload(file, name, Path(folder))


def keep_upload(file: BinaryIO, name: str | None, folder: Path) -> Path:
    """Copy the uploaded file into `folder`.

    Its name is kept, because the format and the modality may be read from it, but only the harmless part.

    Raises:
        InputError: it is empty.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    harmless = re.sub(r"[^\w.-]", "_", last).lstrip(".-")[-100:]
    path = folder / (harmless or "scan.nii.gz")
    with path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    if path.stat().st_size == 0:
        raise InputError(f"The uploaded file {path.name} is empty.")
    return path
