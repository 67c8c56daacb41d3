"""Whether the server lives, and whether it can work: what a supervisor or a container platform asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from monailabel.interfaces.utils.app import app_instance
from starlette.responses import JSONResponse

router = APIRouter(tags=["Health"])

RETRY_S = 2


@router.get("/health", summary="Whether the server process lives.")
async def health() -> dict[str, str]:
    """Always 200: what answers, lives."""
    return {"status": "alive"}


@router.get("/ready", summary="Whether the model is loaded, so that detections can be asked for.")
async def ready(request: Request) -> Response:
    """200 with what the queue holds; 503 while the model is being loaded and once the server is being stopped."""
    queue = request.app.state.queue
    if queue.stopping:
        return _not_ready("The server is being stopped.")
    if not app_instance().is_ready():
        return _not_ready("The model is still being loaded.")
    return JSONResponse({"status": "ready", **queue.counts()})


def _not_ready(sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status_code=503, headers={"Retry-After": str(RETRY_S)})
