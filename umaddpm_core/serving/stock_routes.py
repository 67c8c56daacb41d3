"""Stock routes of MONAI Label, done in the thread pool, and without the files that they leave behind."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, UploadFile
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from monailabel.endpoints import datastore, session
from monailabel.interfaces.utils.app import app_instance
from starlette.background import BackgroundTask

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.datastore import ArchiveDatastore

VOLUME = ".nrrd"
"""What a client that asks for an image of an archive gets: the whole series in one file."""
UPLOAD = ".nii.gz"
"""What an upload without a name is."""


def off_the_event_loop(router: APIRouter) -> APIRouter:
    """The routes of a stock router, done in the thread pool; the stock router is left without them.

    Stock routes are coroutines that wait for nothing: they do their work, however long it takes, on the event loop.
    """
    replaced = APIRouter(tags=router.tags)
    for route in [route for route in router.routes if isinstance(route, APIRoute)]:
        replaced.add_api_route(
            route.path,
            _in_thread(_OURS.get(route.endpoint, route.endpoint), like=route.endpoint),
            methods=list(route.methods),
            summary=route.summary,
            include_in_schema=route.include_in_schema,
            deprecated=route.deprecated,
        )
    router.routes.clear()
    return replaced


def _in_thread(endpoint: Callable, like: Callable) -> Callable:
    """A function, which FastAPI runs in its thread pool, with the parameters of the coroutine function `like`."""

    def run(**arguments: Any) -> Any:
        result = endpoint(**arguments)
        return asyncio.run(result) if inspect.isawaitable(result) else result

    # Not by functools.wraps: FastAPI would find the coroutine function behind it.
    run.__signature__ = inspect.signature(like)
    run.__name__ = like.__name__
    return run


def _download_image(image: str, user: Any) -> Any:
    """As the stock route; a series of an archive as one volume."""
    store = app_instance().datastore()
    if not isinstance(store, ArchiveDatastore):
        return datastore.download_image(image)
    return _sent_once(f"{image}{VOLUME}", lambda path: store.volume(image, path))


def _download_dataset(limit_cases: int | None, user: Any) -> FileResponse:
    """As the stock route, whose archive stays on the disk."""
    store = app_instance().datastore()
    return _sent_once("dataset.zip", lambda path: store.write_dataset(path, limit_cases))


def _add_image(background_tasks: Any, image: str | None, params: str, file: UploadFile, user: Any) -> dict[str, Any]:
    """As the stock route, whose copy of the upload stays on the disk where it is refused."""
    with _received(file) as path:
        name = image or os.path.basename(file.filename or "").replace("".join(path.suffixes), "")
        return {"image": app_instance().datastore().add_image(name, str(path), _info(params, user))}


def _save_label(background_tasks: Any, image: str, params: str, tag: str, label: UploadFile, user: Any) -> dict[str, Any]:
    """As the stock route, whose copy of the upload stays on the disk where it is refused."""
    app = app_instance()
    with _received(label) as path:
        saved = app.datastore().save_label(image, str(path), tag or datastore.DefaultLabelTag.FINAL.value, _info(params, user))
    return {**(app.on_save_label(image, saved) or {}), "image": image, "label": saved}


def _create_session(background_tasks: Any, uncompress: bool, expiry: int, files: list[UploadFile], user: Any) -> dict[str, Any]:
    """As the stock route, whose copies of the upload stay on the disk where it is refused."""
    sessions = app_instance().sessions()
    if sessions is None:
        raise HTTPException(406, "This server keeps no sessions.")
    with tempfile.TemporaryDirectory(prefix="anomaly-session-") as folder:
        scan = received = Path(folder) / "scan"
        received.mkdir()
        for file in files:
            place = received / os.path.basename(file.filename or "")
            _copy(file, place)
        if len(files) == 1:
            scan = place
            if uncompress:
                scan = Path(folder) / "unpacked"
                scan.mkdir()
                shutil.unpack_archive(place, scan)
                if not any(scan.iterdir()):
                    raise InputError("The archive holds no file that could be unpacked.")
        name, known = sessions.add_session(str(scan), expiry)
    return {"session_id": name, "session_info": known.to_json()}


_OURS = {
    datastore.api_download_image: _download_image,
    datastore.api_download_dataset: _download_dataset,
    datastore.api_add_image: _add_image,
    datastore.api_save_label: _save_label,
    session.api_create_session: _create_session,
}


def _sent_once(name: str, write: Callable[[Path], None]) -> FileResponse:
    """An answer with a file that is deleted after it was sent, or where it cannot be written."""
    descriptor, temporary = tempfile.mkstemp(prefix="anomaly-", suffix=Path(name).suffix)
    os.close(descriptor)
    path = Path(temporary)
    try:
        write(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FileResponse(path, filename=name, background=BackgroundTask(path.unlink, missing_ok=True))


@contextmanager
def _received(upload: UploadFile) -> Iterator[Path]:
    """An upload as a file with its suffixes, while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="anomaly-upload-") as folder:
        path = Path(folder) / f"upload{''.join(Path(upload.filename or UPLOAD).suffixes)}"
        _copy(upload, path)
        yield path


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as copy:
        shutil.copyfileobj(upload.file, copy)


def _info(params: str, user: Any) -> dict[str, Any]:
    """What a request says of its upload, with who made it."""
    return {**(json.loads(params or "{}") or {}), **({"user": user.username} if user.username else {})}
