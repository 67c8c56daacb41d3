"""The route that deletes a case."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from starlette.responses import JSONResponse

from umaddpm_core.errors import NotFound
from umaddpm_core.serving.cases.deletion import CaseDeletion, StillInUse
from umaddpm_core.serving.cases.logs import ROUTE, WithoutCases
from umaddpm_core.serving.request_facts import note

router = APIRouter(tags=["Cases"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))])


@router.delete(f"{ROUTE}{{case_id}}", summary="Delete everything that this server holds of a case.")
def delete(request: Request, case_id: str) -> Any:
    """The scan, its labels under all tags, jobs, sessions, and whatever else is kept of it.

    Answers with what was `deleted`; and with the logs that were `left`, as they cannot be written to.

    Of a DICOM archive only what was fetched or noted here is deleted. Models that learned from the scan stay.
    """
    note(request.scope, image=case_id)
    state = request.app.state
    deletion = CaseDeletion(app_instance(), state.queue, state.jobs, state.batches)
    try:
        deleted, left = deletion.delete(case_id)
    except (NotFound, StillInUse) as error:
        # Answered here, as the server's log names the path of what is answered elsewhere.
        return JSONResponse({"detail": str(error)}, status_code=404 if isinstance(error, NotFound) else 409)
    note(request.scope, deleted=sorted(deleted))
    return {"deleted": deleted, "left": left}


def install_cases(app: FastAPI) -> None:
    """Add the route; the log of requests names no case that was deleted by it."""
    app.include_router(router, prefix=settings.MONAI_LABEL_API_STR)
    logging.getLogger("uvicorn.access").addFilter(WithoutCases())
