"""Stock routes that may have to wait for an archive, without stopping the server meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from monailabel.endpoints import datastore as stock
from monailabel.interfaces.utils.app import app_instance
from starlette.background import BackgroundTask

from umaddpm_core.serving.dicom.datastore import ArchiveDatastore

VOLUME = ".nrrd"
"""What a client that asks for an image of an archive gets: the whole series in one file."""


def off_the_event_loop(router: APIRouter) -> APIRouter:
    """The routes of a stock router, done in the thread pool; the stock router is left without them.

    Stock routes are coroutines that wait for nothing: they do their work, however long it takes, on the event loop.
    """
    replaced = APIRouter(tags=router.tags)
    for route in [route for route in router.routes if isinstance(route, APIRoute)]:
        endpoint = _download if route.endpoint is stock.api_download_image else route.endpoint
        replaced.add_api_route(
            route.path,
            _in_thread(endpoint, like=route.endpoint),
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
        return asyncio.run(endpoint(**arguments))

    # Not by functools.wraps: FastAPI would find the coroutine function behind it.
    run.__signature__ = inspect.signature(like)
    run.__name__ = like.__name__
    return run


async def _download(image: str, user: Any) -> Any:
    """As the stock route; a series of an archive as one volume."""
    datastore = app_instance().datastore()
    if not isinstance(datastore, ArchiveDatastore):
        return await stock.api_download_image(image, user)
    descriptor, name = tempfile.mkstemp(prefix="anomaly-", suffix=VOLUME)
    os.close(descriptor)
    path = Path(name)
    try:
        datastore.volume(image, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FileResponse(path, filename=f"{image}{VOLUME}", background=BackgroundTask(path.unlink, missing_ok=True))
