"""The routes of the models: what there is, and which version is in use. Research use only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.utils.app import app_instance
from pydantic import BaseModel, ConfigDict, Field

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.versions import Versions
from umaddpm_core.serving.security.audit import note, who_asks

router = APIRouter(prefix="/anomaly/models", tags=["Models"], dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))])


class Change(BaseModel):
    """Of which version is in use. `by` counts where the server has no tokens, else the name of the token is recorded."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=200)


class Use(Change):
    """`version` null is the model that the server came with."""

    version: str | None


class Publication(Change):
    """`override` publishes a model although it may be worse; that is recorded."""

    override: bool = False


@router.get("", summary="The models of this server, and which is in use.")
def listed() -> dict[str, Any]:
    """Every model with its thresholds and what each costs on healthy scans, its origin and the hash of its weights; files that
    cannot be used, and why; and the versions that were published, with their history and the trained model that waits."""
    app = app_instance()
    catalogue: Catalogue = app.detections.catalogue
    models, broken, default = [], catalogue.broken(), catalogue.default().name
    for name, model in catalogue.usable().items():
        try:
            models.append({**model.as_dict(), "in_use": name == default})
        except InputError as error:
            broken[name] = str(error)
    versions = {name: app.trainings.versions(known) for name, known in Versions.of_all(catalogue.folder).items()}
    return {"default": default, "models": models, "broken": broken, "versions": versions}


@router.post("/{name}/use", summary="Put a version of a model in use.")
def use(request: Request, name: str, change: Use) -> dict[str, Any]:
    """One that was published, or the server's own; detections that run end with the model they began with."""

    def put_in_use(versions: Versions, by: str) -> str | None:
        if change.version is not None and (reason := app_instance().detections.catalogue.broken().get(change.version)):
            raise InputError(reason)
        versions.use(change.version, {"by": by})
        return change.version

    return _changed(request, name, change, "put in use", put_in_use)


@router.post("/{name}/rollback", summary="Put in use what was in use before the present version was published.")
def roll_back(request: Request, name: str, change: Change = Change()) -> dict[str, Any]:
    """The version stays, and can be put in use again."""
    return _changed(request, name, change, "rolled back", lambda versions, by: versions.roll_back({"by": by}))


@router.post("/{name}/publish", summary="Publish the model that was trained last, where its training did not.")
def publish(request: Request, name: str, change: Publication = Publication()) -> dict[str, Any]:
    """It becomes the next version and is in use."""
    waiting = app_instance().trainings.candidate
    return _changed(
        request, name, change, "published", lambda versions, by: waiting.publish(versions, by=by, override=change.override)
    )


def _changed(request: Request, name: str, change: Change, action: str, make: Callable[[Versions, str], str | None]) -> dict[str, Any]:
    """Make the change, record it, load what is in use now, and answer with it."""
    app = app_instance()
    known = Versions.of_all(app.detections.catalogue.folder)
    waiting = app.trainings.candidate.describe()
    if name not in known and not (waiting and waiting["name"] == name):
        raise NotFound(f"No versions of a model {name[:40]!r} were published on this server; there are those of {', '.join(known)}.")
    version = make(Versions(app.detections.catalogue.folder, name), who_asks(request.scope) or change.by)
    note(request.scope, model=version or "the server's own", action=action)
    app.detections.renew_aside()
    return {"name": name, "in_use": version, "default": app.detections.catalogue.default().name}
