"""Puts the guards around the application of the server."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

from fastapi import FastAPI
from monailabel.config import settings as monailabel_settings
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from umaddpm_core.serving.checkout import repository_root
from umaddpm_core.serving.security.access import Access
from umaddpm_core.serving.security.answers import Answers
from umaddpm_core.serving.security.audit import Audit
from umaddpm_core.serving.security.audit_log import AuditLog
from umaddpm_core.serving.security.body import Body
from umaddpm_core.serving.security.confinement import Confinement
from umaddpm_core.serving.security.origins import Origins
from umaddpm_core.serving.security.settings import SecuritySettings
from umaddpm_core.serving.security.tokens import OWN_TOKEN_VARIABLE, TOKEN_VARIABLE, configured_tokens, new_token
from umaddpm_core.serving.security.unavailable import Unavailable

BAD_ARCHIVES = (shutil.ReadError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)


def secure(app: FastAPI) -> None:
    """Let the application answer only who may ask, and only what is safe to answer; settings are in the environment.

    Raises:
        InputError: settings or tokens that cannot be used.
    """
    app_folder = Path(monailabel_settings.MONAI_LABEL_APP_DIR or ".")
    settings = SecuritySettings.from_environment(os.environ)
    if configured_tokens(os.environ):
        # What jobs show when they ask for the next one. Whoever started the server may have made it already.
        os.environ.setdefault(OWN_TOKEN_VARIABLE, new_token())
    tokens = configured_tokens(os.environ)
    # Jobs inherit the environment, and the token for everything is none of their business.
    os.environ.pop(TOKEN_VARIABLE, None)

    studies = monailabel_settings.MONAI_LABEL_STUDIES
    sessions = monailabel_settings.MONAI_LABEL_SESSION_PATH
    folders = [folder for folder in (studies, sessions) if folder and "://" not in folder]
    guards = [
        Middleware(Origins, settings=settings, needs_token=bool(tokens)),
        Middleware(Access, tokens=tokens),
        Middleware(Answers, folders=(app_folder, repository_root(), *folders)),
        Middleware(Confinement),
        Middleware(Unavailable, settings=settings),
        Middleware(Body, largest=settings.largest_body),
    ]
    if (log := configured_audit_log(app_folder)) is not None:
        guards.insert(0, Middleware(Audit, log=log))
    # The first is the outermost.
    app.user_middleware = [*guards, *app.user_middleware]
    for kind in BAD_ARCHIVES:
        app.add_exception_handler(kind, _bad_archive)


def configured_audit_log(app_folder: Path) -> AuditLog | None:
    """The audit log that the environment names, for the server and its jobs alike; None where nothing is recorded."""
    settings = SecuritySettings.from_environment(os.environ, audit=app_folder / "logs" / "audit.jsonl")
    return AuditLog(settings.audit, settings.audit_size) if settings.audit else None


def _bad_archive(request: Request, error: Exception) -> JSONResponse:
    sentence = "The archive cannot be unpacked: it is damaged, or holds what would land outside its folder."
    return JSONResponse({"detail": sentence}, status_code=422)
