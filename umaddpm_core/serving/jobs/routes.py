"""The routes of jobs. Research use only."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse

from umaddpm_core.preprocessing.reading.self_contained import require_self_contained
from umaddpm_core.serving.jobs.job import RESULTS, Job, State
from umaddpm_core.serving.jobs.service import Jobs
from umaddpm_core.serving.parameters import Parameters
from umaddpm_core.serving.scan_source import keep_upload, stored_scan

router = APIRouter(
    prefix="/anomaly/jobs", tags=["Jobs"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))]
)

MEDIA = {".gz": "application/gzip", ".json": "application/json", ".png": "image/png"}
SECONDS_TO_CANCEL = 2.0
"""How long the answer to a cancellation waits for the work to stop."""


@router.post("", status_code=202, summary="Ask for a detection that runs as a job.")
async def submit(
    request: Request,
    image: str = "",
    session_id: str = "",
    params: Annotated[str, Form()] = "{}",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """The same scan and parameters as `/infer/anomaly`; answers at once with the job's id and links."""
    parameters = Parameters.from_json(params)
    app = app_instance()

    def find_scan(folder: Path) -> Path:
        scan = keep_upload(file.file, file.filename, folder) if file else stored_scan(app, image, session_id)
        require_self_contained(scan)
        return scan

    jobs = _jobs(request)
    job = await run_in_threadpool(jobs.submit, find_scan, parameters, "" if file or session_id else image)
    described = _described(request, jobs, job)
    return JSONResponse(described, status_code=202, headers={"Location": described["links"]["self"]})


@router.get("", summary="All jobs, the newest first.")
def every(request: Request) -> dict[str, Any]:
    """Those that wait and run, and those that ended and have not expired."""
    jobs = _jobs(request)
    return {"jobs": [_described(request, jobs, job) for job in jobs.all()]}


@router.get("/{job_id}", summary="State of a job.")
def state(request: Request, job_id: str) -> dict[str, Any]:
    """State, place in the queue, phase, seconds left, and links to the results once there are any."""
    jobs = _jobs(request)
    return _described(request, jobs, jobs.get(job_id))


@router.delete("/{job_id}", summary="Cancel a job, or delete the results of one that has ended.")
async def delete(request: Request, job_id: str) -> Response:
    """A job that waits ends at once, one that runs within seconds (`cancelling` until then); an ended one is deleted, 204."""
    jobs = _jobs(request)
    job = await run_in_threadpool(jobs.get, job_id)
    if await run_in_threadpool(jobs.cancel_or_remove, job):
        return Response(status_code=204)
    deadline = time.monotonic() + SECONDS_TO_CANCEL
    while not job.state.final and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return JSONResponse(_described(request, jobs, job), status_code=200 if job.state.final else 202)


@router.get("/{job_id}/{result}", summary="One file of a job that is done.")
def download(request: Request, job_id: str, result: Literal[tuple(RESULTS)]) -> Response:
    """`report` is JSON, `overview` PNG, everything else NIfTI on the scan's own grid."""
    jobs = _jobs(request)
    path = jobs.result(jobs.get(job_id), result)
    return FileResponse(path, media_type=MEDIA[path.suffix], filename=path.name)


def _jobs(request: Request) -> Jobs:
    return request.app.state.jobs


def _described(request: Request, jobs: Jobs, job: Job) -> dict[str, Any]:
    links = {"self": request.url_for("state", job_id=job.id).path}
    if job.state == State.DONE:
        links |= {name: request.url_for("download", job_id=job.id, result=name).path for name in RESULTS}
    return {**jobs.describe(job), "links": links}
