"""The DICOMweb proxy that viewers use: hands questions on to the archive, with the credentials of the server."""

from __future__ import annotations

import tempfile
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from umaddpm_core.serving.dicom.archive import Archive

IN_MEMORY = 1 << 20
"""Bytes of an answer; what is larger waits on the disk for its client."""

router = APIRouter(tags=["Others"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))])


@router.api_route("/proxy/dicom/{path:path}", methods=["GET", "POST"], include_in_schema=False)
async def proxy(request: Request, path: str) -> Response:
    """What the archive answers to a path that `Confinement` let through: `studies/…`, or `qido/`, `wado/` or `stow/` before it."""
    archive = app_instance().datastore().archive
    content = await request.body() if request.method == "POST" else None
    kind = {"Content-Type": request.headers.get("content-type", "")} if content else None
    query = request.query_params.multi_items()
    return await run_in_threadpool(_answer, archive, request.method, path, params=query, headers=kind, data=content)


def _answer(archive: Archive, method: str, path: str, **question: object) -> Response:
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)
    try:
        status, kind = archive.ask(method, path, file, **question)
        headers = {"Content-Length": str(file.tell())}
        file.seek(0)
    except BaseException:
        file.close()
        raise
    chunks = iter(partial(file.read, IN_MEMORY), b"")
    return StreamingResponse(chunks, status, headers, kind, background=BackgroundTask(file.close))
