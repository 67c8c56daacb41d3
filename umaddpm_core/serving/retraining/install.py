"""Adds the start of trainings to the server, and ends them with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from monailabel.config import settings
from monailabel.utils.async_tasks.utils import background_executors, stop_background_task
from starlette.concurrency import run_in_threadpool

from umaddpm_core.serving.retraining.routes import router


def install_trainings(app: FastAPI) -> None:
    """Add the routes; a training that runs when the server stops is stopped, and goes on when it is asked for again."""
    app.include_router(router, prefix=settings.MONAI_LABEL_API_STR)
    app.router.lifespan_context = partial(_lifespan, app.router.lifespan_context)


@asynccontextmanager
async def _lifespan(inner: Callable, app: FastAPI) -> AsyncIterator[None]:
    async with inner(app):
        yield
        await run_in_threadpool(_stop)


def _stop() -> None:
    # Else those that wait would begin now, and the server would not end before they do.
    if waiting := background_executors.get("train"):
        waiting.shutdown(wait=False, cancel_futures=True)
    stop_background_task("train")
