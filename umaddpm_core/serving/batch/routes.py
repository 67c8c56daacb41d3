"""The routes of batch inference: those of stock MONAI Label, which answer as it does and more. Research use only."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from umaddpm_core.errors import NotFound
from umaddpm_core.serving.batch import examination
from umaddpm_core.serving.batch.batches import Batches, Examiner
from umaddpm_core.serving.batch.record import WAITING, Batch
from umaddpm_core.serving.batch.request import SELECTIONS, BatchRequest
from umaddpm_core.serving.request_facts import note
from umaddpm_core.serving.security.access import holder_of

router = APIRouter(prefix="/batch", tags=["Infer"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))])

SECONDS_TO_STOP = 5.0
"""How long the answer to a stop waits for the present image to end."""
SECONDS_BETWEEN_LOOKS = 0.2


@router.post("/infer/{model}", summary="Examine the scans of the datastore one after the other.")
async def start(
    request: Request,
    model: str,
    images: Literal[SELECTIONS] = "all",
    params: dict[str, Any] | None = None,
    run_sync: bool = False,
) -> dict[str, Any]:
    """The body may hold `images` (a list of ids), `max_batch_size`, `label_tag`, `again`, and the parameters of `/infer/anomaly`.

    What has a mask by the same model with the same parameters is skipped, unless `again` is true. A scan that cannot be
    examined is recorded, and the batch goes on. `run_sync` waits for the end; the server answers others meanwhile.
    """
    batches = _batches(request)
    batch = await run_in_threadpool(_begin, request, batches, model, images, params or {})
    note(request.scope, batch=batch.id)
    while run_sync and batch.ongoing:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    return batches.describe(batch)


@router.get("/infer", summary="State of the batch that runs, or the last one.")
def state(request: Request, all: bool = False, check_if_running: bool = False) -> Any:
    """How many are done, failed, skipped and left, and why each failed; `check_if_running` finds only one that runs."""
    batches = _batches(request)
    batch = batches.last()
    if batch is None or (check_if_running and not batch.ongoing):
        raise NotFound("No batch is running." if check_if_running else "No batch was asked for on this server, or not lately.")
    return [batches.describe(batch)] if all else batches.describe(batch)


@router.delete("/infer", summary="Stop the batch that runs.")
def stop(request: Request) -> dict[str, Any] | None:
    """What was examined stays, and the same batch asked for again goes on from there. As in stock MONAI Label, null where none runs."""
    batches = _batches(request)
    batch = batches.stop(SECONDS_TO_STOP)
    return batches.describe(batch) if batch else None


def busy(request: Request, error: Exception) -> JSONResponse:
    """The answer to a second batch."""
    return JSONResponse({"detail": str(error)}, status_code=429)


def _begin(request: Request, batches: Batches, model: str, images: str, fields: dict[str, Any]) -> Batch:
    app = app_instance()
    if model not in app.info()["models"]:
        raise NotFound(f"There is no inferer {model!r} on this server.")
    asked = BatchRequest.of(model, images, fields)
    app.detections.weights(asked.parameters.model)
    holder = holder_of(request.scope)
    batch = Batch(
        request={**fields, "model": model, "images": fields.get("images", images)},
        images={image: {"state": WAITING} for image in asked.chosen(app.datastore())},
        owner=holder and holder.name,
    )
    examiner = Examiner(
        is_done=lambda image: not asked.again and examination.is_done(app, image, asked),
        examine=partial(_examine, app, model, asked),
        note=partial(examination.note_outcome, app),
    )
    batches.start(batch, examiner)
    return batch


def _examine(app: Any, model: str, asked: BatchRequest, image: str, **work: Any) -> dict[str, Any]:
    return examination.examine(app, model, image, asked, **work)


def _batches(request: Request) -> Batches:
    return request.app.state.batches
