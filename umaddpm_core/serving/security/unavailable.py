"""Routes of MONAI Label that do not work, or are not wanted, on this server."""

from __future__ import annotations

import shutil
from collections.abc import Collection

from monailabel.config import settings as monailabel_settings
from monailabel.interfaces.utils.app import app_instance
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.serving.security.refusal import Refused
from umaddpm_core.serving.security.settings import MODEL_UPLOAD_VARIABLE, SecuritySettings

TASKS = {"/train/": "trainers", "/scoring/": "scoring", "/batch/infer/": "models"}
"""Routes that start a process for whatever name they are given, and where the names that exist are listed."""


class Unavailable:
    """ASGI middleware that says so in one sentence, where MONAI Label would fail, or do as it is told."""

    def __init__(self, app: ASGIApp, settings: SecuritySettings) -> None:
        self.app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._require_available(scope["method"], get_route_path(scope))
            except Refused as refused:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _require_available(self, method: str, path: str) -> None:
        if path.startswith("/model/") and method == "PUT" and not self._settings.allow_model_upload:
            raise Refused(403, f"This server takes no weights; {MODEL_UPLOAD_VARIABLE}=1 allows them to administrators.")
        if path.startswith("/model/") and method in ("PUT", "DELETE") and not app_instance().model_file(path[7:], validate=False):
            raise Refused(404, "There are no weights under this name that a request could exchange.")
        if path.startswith("/proxy/") and not monailabel_settings.MONAI_LABEL_STUDIES.startswith(("http://", "https://")):
            raise Refused(404, "This server has no DICOMweb archive behind it.")
        if path.startswith("/logs/gpu") and shutil.which("nvidia-smi") is None:
            raise Refused(404, "This server has no GPU that `nvidia-smi` could tell of.")
        if path == "/datastore/dataset" and method == "GET" and not app_instance().datastore().datalist():
            raise Refused(404, "There is no labelled scan to download.")
        for prefix, kind in TASKS.items():
            name = path.removeprefix(prefix).strip("/")
            if method == "POST" and path.startswith(prefix) and name and name not in _known(kind):
                raise Refused(404, f"There is nothing called {name!r} under {kind} on this server.")


def _known(kind: str) -> Collection[str]:
    return app_instance().info()[kind]
