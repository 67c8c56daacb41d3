"""The inference route: what the stock one answers, without stopping the server while it works."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, File, Form, Request, Response, UploadFile
from monailabel.config import settings
from monailabel.endpoints.infer import ResultType, send_response
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving import inference
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.jobs.progress import Progress
from umaddpm_core.serving.jobs.queue import Ticket, WorkQueue
from umaddpm_core.serving.parameters import SEG_EXTENSION, Parameters
from umaddpm_core.serving.scan_source import held_scan, uploaded_scan
from umaddpm_core.serving.security.audit import note_result

router = APIRouter(tags=["Infer"])

@router.post(
    "/infer/{model}",
    summary="Find anomalies in a scan. Research use only.",
    dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))],
)
async def infer(
    request: Request,
    background_tasks: BackgroundTasks,
    model: str,
    image: str = "",
    session_id: str = "",
    params: Annotated[str, Form()] = "{}",
    file: Annotated[UploadFile | None, File()] = None,
    output: ResultType | None = None,
) -> Response:
    """Mask as a file, result parameters as JSON, or both as multipart, according to `output` as on the stock route.

    `params.result_extension` `.nii.gz` or `.nrrd` gives the mask, `.dcm` a DICOM SEG of the source series, `.zip` every
    volume with report and overview. There is no SEG without a finding: then the answer is the parameters alone.
    `output=dicom_seg`, for stock clients, is `output=image` with `.dcm`.
    The request waits in the queue that jobs wait in; when the client hangs up it is cancelled.
    """
    app = app_instance()
    if model not in app.info()["models"]:
        raise NotFound(f"There is no inferer {model!r} on this server.")
    parameters = Parameters.from_json(params)
    if output == ResultType.dicom_seg:
        output, parameters = ResultType.image, replace(parameters, result_extension=SEG_EXTENSION)
    # A series of an archive is fetched here, before it is this request's turn.
    stored = None if file else await run_in_threadpool(held_scan, app, image, session_id)
    scan = stored or uploaded_scan(file.file, file.filename)
    cancellation, progress = Cancellation(), Progress()

    def work(worker: int) -> dict:
        with scan as path:
            return inference.infer(
                app, model, path, parameters, image="" if file or session_id else image, wants_file=output != ResultType.json,
                cancellation=cancellation, progress=progress, worker=worker,
            )  # fmt: skip

    queue: WorkQueue = request.app.state.queue
    about = file.filename or "" if file else image
    ticket = queue.submit(work, cancellation, progress, about=about)
    watch = asyncio.create_task(_cancel_on_disconnect(request, queue, ticket))
    try:
        result = await asyncio.wrap_future(ticket.future)
    finally:
        watch.cancel()
    note_result(request.scope, result["params"])
    if not result.get("file"):
        output = ResultType.json
    return await run_in_threadpool(send_response, app.datastore(), result, output, background_tasks)


async def _cancel_on_disconnect(request: Request, queue: WorkQueue, ticket: Ticket) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    queue.cancel(ticket)
