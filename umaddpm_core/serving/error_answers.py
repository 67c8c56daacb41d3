"""Turns what goes wrong on the server into JSON with one sentence, where stock MONAI Label sends a bare 500."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException, MONAILabelException
from starlette.requests import Request
from starlette.responses import JSONResponse

from umaddpm_core.errors import Cancelled, InputError, NeverFits, NotFound, OutOfMemory
from umaddpm_core.serving.dicom.archive import ArchiveUnavailable
from umaddpm_core.serving.request_facts import REQUEST_ID_HEADER, note, present
from umaddpm_core.serving.security.audit import facts_of_failure
from umaddpm_core.serving.watching import CLIENT_CLOSED_REQUEST

MEMORY_RETRY_S = 30

logger = logging.getLogger(__name__)


def install_error_answers(app: FastAPI) -> None:
    """Register one handler per kind of error; the most specific class wins."""
    statuses = {
        NotFound: 404,
        ImageNotFoundException: 404,
        LabelNotFoundException: 404,
        ArchiveUnavailable: 503,
        NeverFits: 413,
        OutOfMemory: 503,
        InputError: 422,
        MONAILabelException: 422,
        Cancelled: CLIENT_CLOSED_REQUEST,
    }
    for kind, status in statuses.items():
        app.add_exception_handler(kind, _answer(status))
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(Exception, _unforeseen)


def _answer(status: int):
    def answer(request: Request, error: Exception) -> JSONResponse:
        sentence = getattr(error, "msg", None) or str(error) or "The request was cancelled."
        logger.info("%s %s: %s", status, request.url.path, sentence)
        note(request.scope, **facts_of_failure(error))
        headers = {"Retry-After": str(MEMORY_RETRY_S)} if isinstance(error, OutOfMemory) else None
        return JSONResponse({"detail": sentence}, status_code=status, headers=headers)

    return answer


def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"detail": f"The request does not fit this route: {field}: {first['msg']}."}, status_code=422)


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    # The server logs the traceback itself after this answer, which is given outside of all that watches requests.
    sentence = f"The server failed on this request ({type(error).__name__}); its log says where."
    return JSONResponse({"detail": sentence}, status_code=500, headers={REQUEST_ID_HEADER: present().get("request", "")})
