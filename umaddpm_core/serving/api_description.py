"""What `/openapi.json` says of the server: the stock description, made right for what is refused and what is not JSON."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from umaddpm_core import __version__

TITLE = "UMA-DDPM anomaly detection"
DESCRIPTION = "MONAI Label with unsupervised anomaly detection in brain MRI. Research use only."

REFUSAL = {
    "type": "object",
    "properties": {"detail": {"type": "string", "description": "One sentence: what is wrong, and what to do."}},
    "required": ["detail"],
}
REFUSED = {"description": "Refused, or failed.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}

BINARY = {"schema": {"type": "string", "format": "binary"}}
VOLUMES = ("application/octet-stream", "application/gzip", "application/x-gzip", "application/zip", "application/dicom")
FILES = {
    ("/infer/{model}", "post"): ("multipart/form-data", *VOLUMES),
    ("/anomaly/jobs/{job_id}/{result}", "get"): ("application/gzip", "image/png"),
    ("/datastore/image", "get"): VOLUMES,
    ("/datastore/label", "get"): VOLUMES,
    ("/datastore/dataset", "get"): ("application/zip",),
    ("/session/{session_id}", "get"): VOLUMES,
    ("/model/{model}", "get"): ("application/octet-stream",),
    ("/logs/", "get"): ("text/html", "text/plain"),
    ("/metrics", "get"): ("text/plain",),
    ("/logs/gpu", "get"): ("text/html", "text/plain"),
}
"""Routes that answer with a file, and the media types it may have beside JSON."""


def describe_api(app: FastAPI) -> None:
    """Complete the description once, when it is first asked for."""
    app.title, app.version, app.description = TITLE, __version__, DESCRIPTION
    stock = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(stock())
        return app.openapi_schema

    app.openapi = described


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """A stock description with its refusals, files and tokens as they are."""
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {})["Refusal"] = REFUSAL
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    # A server for this computer alone asks for no token.
    schema["security"] = [{}, {"token": []}]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(operation, FILES.get((path, method), ()))
    return schema


def _complete(operation: dict[str, Any], files: tuple[str, ...]) -> None:
    operation.pop("security", None)
    # Stock MONAI Label has a field for it in every query; here a token in an address is none.
    operation["parameters"] = [part for part in operation.get("parameters", []) if (part["in"], part["name"]) != ("query", "token")]
    answers = operation["responses"]
    for status in ("404", "422"):
        answers.pop(status, None)
    answers["default"] = REFUSED
    if files:
        answers["200"].setdefault("content", {}).update(dict.fromkeys(files, BINARY))
