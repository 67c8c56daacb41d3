"""The routes that start a training: the stock ones start whatever they are asked for, and may train inside the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from monailabel.utils.async_tasks.task import AsyncTask
from monailabel.utils.async_tasks.utils import tasks

from umaddpm_core.errors import InputError
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.serving.security.audit import note, who_asks

router = APIRouter(prefix="/train", tags=["Train"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))])

UNFINISHED = ("SUBMITTED", "RUNNING")


@router.post("/{model}", summary="Train a model on the healthy scans of the datastore. Research use only.")
def start(request: Request, model: str, params: dict[str, Any] | None = None, run_sync: bool = False, enqueue: bool = False) -> dict[str, Any]:
    """In a process of its own, while the server goes on; `GET /train/` says how it goes.

    `params` is what `RetrainingRequest` describes.
    """
    if run_sync:
        raise InputError("`run_sync` is not offered, because a training takes long; leave it out, and ask `GET /train/` how it goes.")
    asked = {key: value for key, value in (params or {}).items() if key != "model"}
    if who := who_asks(request.scope):
        asked["by"] = who
    wanted = RetrainingRequest.of(asked)
    if not enqueue and any(task["status"] in UNFINISHED for task in tasks("train")):
        raise HTTPException(429, "A training runs already; stop it, or let this one wait with `enqueue=true`.")
    note(request.scope, model=wanted.name)
    return AsyncTask.run("train", request={"model": model}, params=asked, enqueue=True)[0]


@router.post("/", summary="Train every model.", include_in_schema=False, deprecated=True)
def start_all(request: Request, params: dict[str, Any] | None = None, run_sync: bool = False) -> dict[str, Any]:
    """With `params` by trainer; one after the other."""
    asked = {name: (params or {}).get(name) for name in app_instance().info()["trainers"]}
    return {
        name: {"result": start(request, name, given if isinstance(given, dict) else None, run_sync, True), "detail": None}
        for name, given in asked.items()
    }
