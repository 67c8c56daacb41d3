"""Adds queue, jobs and health to the server, and stops them in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from umaddpm_core.serving import inference
from umaddpm_core.serving.jobs import health, routes
from umaddpm_core.serving.jobs.job import Job
from umaddpm_core.serving.jobs.queue import QueueFull, Stopping, WorkQueue
from umaddpm_core.serving.jobs.service import Jobs, NotReady
from umaddpm_core.serving.jobs.settings import JobSettings
from umaddpm_core.serving.jobs.store import JobStore
from umaddpm_core.serving.parameters import Parameters
from umaddpm_core.serving.scan_source import held_scan
from umaddpm_core.serving.security.audit import facts_of, facts_of_failure, record
from umaddpm_core.serving.security.audit_log import AuditLog

INFERER = "anomaly"
SECONDS_TO_STOP = 5
"""Work that has not stopped by then is left behind; its job is `interrupted` all the same."""
SECONDS_BETWEEN_SWEEPS = 60
STOP_RETRY_S = 30


def install_jobs(app: FastAPI) -> None:
    """Add the routes and their error answers; the queue runs from the server's start to its stop."""
    for router in (routes.router, health.router):
        app.include_router(router, prefix=settings.MONAI_LABEL_API_STR)
    app.add_exception_handler(QueueFull, lambda _, error: _unavailable(error, error.retry_after))
    app.add_exception_handler(Stopping, lambda _, error: _unavailable(error, STOP_RETRY_S))
    app.add_exception_handler(NotReady, _conflict)
    app.router.lifespan_context = partial(_lifespan, app.router.lifespan_context)


@asynccontextmanager
async def _lifespan(stock: Callable, app: FastAPI) -> AsyncIterator[None]:
    options = app.state.job_settings = JobSettings.from_environment(_default_folder(app_instance()))
    store = JobStore(options.folder, hours=options.hours, megabytes=options.megabytes)
    async with stock(app):
        queue = app.state.queue = WorkQueue(options.workers, options.queue, app.state.metrics.ended)
        jobs = app.state.jobs = Jobs(queue, store, _infer, partial(_record, app.state.audit))
        sweeping = asyncio.create_task(_sweep(jobs))
        with _stopped_by_signal(queue):
            yield
        sweeping.cancel()
        queue.stop()
        await run_in_threadpool(queue.join, SECONDS_TO_STOP)
        jobs.close()


@contextmanager
def _stopped_by_signal(queue: WorkQueue) -> Iterator[None]:
    """Let a signal that ends the server also stop the queue.

    The server waits for the answers it owes before it lets the application stop, and those may wait for the queue.
    """
    loop = asyncio.get_running_loop()
    earlier = {}

    def stop(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(queue.stop)
        if callable(earlier[number]):
            earlier[number](number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread may set a handler; a server run in another one has none to begin with.
        with suppress(ValueError):
            earlier[number] = signal.getsignal(number)
            signal.signal(number, stop)
    yield


async def _sweep(jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_SWEEPS)
        await run_in_threadpool(jobs.sweep)


def _infer(scan: Path, parameters: Parameters, *, image: str = "", **request: object) -> dict[str, Any]:
    app = app_instance()
    # A series of an archive may have made room for others while the job waited; it is fetched again, and stays.
    with held_scan(app, image, "") if image else nullcontext(scan) as path:
        return inference.infer(app, INFERER, path, parameters, image=image, wants_file=False, **request)["params"]


def _record(log: AuditLog | None, job: Job, error: BaseException | None, report: dict[str, Any]) -> None:
    facts = facts_of(report) | facts_of_failure(error)
    seconds = round(job.ended - job.created, 3)
    record(log, "job ended", who=job.owner, image=job.image or job.scan, job=job.id, outcome=job.state.value, seconds=seconds, **facts)


def _default_folder(app: MONAILabelApp) -> Path:
    """Beside the sessions, whose own folder MONAI Label sweeps."""
    sessions = app.sessions()  # a dictionary, which is false as long as it is empty
    return (Path(sessions.store_path).parent if sessions is not None else Path(app.app_dir)) / "jobs"


def _unavailable(error: Exception, seconds: int) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503, headers={"Retry-After": str(seconds)})


def _conflict(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=409)
