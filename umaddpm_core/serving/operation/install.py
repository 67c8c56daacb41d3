"""Adds what an administrator watches the server by."""

from __future__ import annotations

import logging
import os

from fastapi import FastAPI
from monailabel.config import settings
from starlette.middleware import Middleware

from umaddpm_core.preprocessing.memory import memory_state
from umaddpm_core.serving.operation import routes
from umaddpm_core.serving.operation.json_log import asks_for_json
from umaddpm_core.serving.operation.metrics import Metrics
from umaddpm_core.serving.operation.observing import Observing, access
from umaddpm_core.serving.operation.state import ServerState


def install_operation(app: FastAPI) -> None:
    """Observe every request, from outside of whatever else is around the application, and answer `/metrics`.

    Raises:
        InputError: the environment names a form of the log, or a size of the memory, that is none.
    """
    memory_state()
    # The log that people read has no line for every request.
    access.setLevel(logging.INFO if asks_for_json(os.environ) else logging.WARNING)
    metrics = app.state.metrics = Metrics()
    metrics.registry.register(ServerState(app))
    app.user_middleware.insert(0, Middleware(Observing, metrics=metrics))
    app.include_router(routes.router, prefix=settings.MONAI_LABEL_API_STR)
