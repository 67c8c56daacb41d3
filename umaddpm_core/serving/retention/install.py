"""Adds retention to the server: its own temporary folder, and a look every minute at what has expired."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool

from umaddpm_core.serving.retention.settings import retention_hours
from umaddpm_core.serving.retention.temporary import own_temporary_folder

SECONDS_BETWEEN_SWEEPS = 60

logger = logging.getLogger(__name__)


def install_retention(app: FastAPI) -> None:
    """Expire what is too old from the server's start to its stop."""
    app.router.lifespan_context = partial(_lifespan, app.router.lifespan_context)


@asynccontextmanager
async def _lifespan(inner: Callable, app: FastAPI) -> AsyncIterator[None]:
    with own_temporary_folder():
        async with inner(app):
            sweeping = asyncio.create_task(_sweep(app.state.batches.sweep, retention_hours() * 3600))
            yield
            sweeping.cancel()


async def _sweep(sweep_batches: Callable[[], None], seconds: float) -> None:
    """Look often enough that nothing outlives its time by much."""
    while True:
        await run_in_threadpool(_expire, sweep_batches, seconds)
        await asyncio.sleep(min(SECONDS_BETWEEN_SWEEPS, max(1.0, seconds / 4)))


def _expire(sweep_batches: Callable[[], None], seconds: float) -> None:
    try:
        app = app_instance()
        sweep_batches()
        app.cleanup_sessions()
        if math.isfinite(seconds):
            app.expire(seconds)
    except Exception:
        # The next look may succeed, and the server goes on in any case.
        logger.exception("Not everything that has expired could be deleted.")
