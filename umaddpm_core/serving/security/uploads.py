"""What an uploaded file has to be for the route it is sent to."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from starlette.datastructures import UploadFile

from umaddpm_core.errors import InputError
from umaddpm_core.serving.security.confinement import LONGEST, require_name
from umaddpm_core.serving.security.expansion import require_bounded
from umaddpm_core.serving.security.grids import VOLUMES, is_volume, require_sane_grid
from umaddpm_core.serving.security.refusal import Refused

WEIGHTS = ".safetensors"
TAKEN = ("meta.info",)
"""Names that the session store uses itself."""
VOLUME_ROUTES = ("/datastore/image", "/datastore/label", "/datastore/")


def require_acceptable(upload: UploadFile, route: str, query: dict[str, str]) -> None:
    """Refuse an upload by its name or content.

    Stock clients send the path of the file as its name; the folders of it count for nothing here and in MONAI Label.

    Args:
        route: as registered, see `roles`.
        query: of the request.

    Raises:
        Refused: with one sentence that names the file.
    """
    name = _last_part(upload.filename or "")
    if route in VOLUME_ROUTES and not is_volume(name):
        what = "A label" if route.endswith("label") else "An image"
        raise Refused(422, f"{what} has to be one of {', '.join(VOLUMES)}; {name or 'the file'} is not.")
    if route in ("/datastore/image", "/datastore/") and not query.get("image"):
        require_name("file", os.path.basename(upload.filename or ""))
    if route == "/session/" and not name:
        # MONAI Label would make one up, and leave the file behind where it comes with others.
        raise Refused(422, "Every file of a session has to have a name.")
    if route == "/session/" and query.get("uncompress", "").lower() in ("1", "true", "on", "t", "y", "yes"):
        _require_archive(name)
    if route == "/model/{model}":
        _require_weights(upload, name)
        return
    require_bounded(upload.file, upload.size or 0, name)
    if is_volume(name):
        require_sane_grid(upload.file, name)
    upload.file.seek(0)


def _last_part(filename: str) -> str:
    parts = re.split(r"[/\\]", filename)
    name = parts[-1]
    if ".." in parts or name == ".":
        raise Refused(422, f"The name of an uploaded file cannot hold `..`; {name[:100] or 'this'} is refused.")
    if not filename.isprintable() or "\ufffd" in filename or name in TAKEN:
        raise Refused(422, "The name of an uploaded file has to be a plain name.")
    if len(name.encode("utf-8", "replace")) > LONGEST:
        raise Refused(422, f"The name of an uploaded file can have {LONGEST} bytes.")
    return name


def _require_archive(name: str) -> None:
    known = [suffix for _, suffixes, _ in shutil.get_unpack_formats() for suffix in suffixes]
    if not name.lower().endswith(tuple(known)):
        raise Refused(422, f"{name} is no archive that can be unpacked ({', '.join(known)}).")


def _require_weights(upload: UploadFile, name: str) -> None:
    """A model file of ours; never a pickle, which would run code when it is loaded."""
    from umaddpm_core.artefact import Artefact

    if not name.lower().endswith(WEIGHTS):
        raise Refused(422, f"Weights have to be a {WEIGHTS} file of this program; {name} is not.")
    with tempfile.TemporaryDirectory(prefix="anomaly-model-") as folder:
        path = Path(folder) / f"upload{WEIGHTS}"
        upload.file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(upload.file, copy)
        upload.file.seek(0)
        try:
            Artefact.load(path)
        except InputError as error:
            raise Refused(422, str(error).replace(str(path), name).replace(path.name, name)) from error
