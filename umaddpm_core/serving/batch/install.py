"""Adds batch inference to the server; the queue of the jobs is there before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from monailabel.config import settings
from starlette.concurrency import run_in_threadpool

from umaddpm_core.serving.batch import routes
from umaddpm_core.serving.batch.batches import Batches, BatchRunning
from umaddpm_core.serving.batch.record import Batch, BatchRecord
from umaddpm_core.serving.security.audit import facts_of, facts_of_failure, record
from umaddpm_core.serving.security.audit_log import AuditLog

SECONDS_TO_STOP = 5


def install_batch(app: FastAPI) -> None:
    """Add the routes; a batch that runs when the server is stopped can be asked for again."""
    app.include_router(routes.router, prefix=settings.MONAI_LABEL_API_STR)
    app.add_exception_handler(BatchRunning, routes.busy)
    app.router.lifespan_context = partial(_lifespan, app.router.lifespan_context)


@asynccontextmanager
async def _lifespan(inner: Callable, app: FastAPI) -> AsyncIterator[None]:
    async with inner(app):
        options, queue = app.state.job_settings, app.state.queue
        batches = app.state.batches = Batches(queue, BatchRecord(options.folder, options.hours), partial(_record, app.state.audit))
        yield
        queue.stop()
        await run_in_threadpool(batches.close, SECONDS_TO_STOP)


def _record(log: AuditLog | None, what: str, batch: Batch, error: BaseException | None, report: dict[str, Any], **facts: Any) -> None:
    record(log, what, who=batch.owner, batch=batch.id, **facts, **facts_of(report) | facts_of_failure(error))
