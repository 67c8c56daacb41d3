"""Keeps outsiders out: ids that are really paths, and web pages of other sites."""

from __future__ import annotations

import tarfile
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NAMES = ("image", "label", "tag", "id", "session_id")
"""Query parameters that stock MONAI Label turns into file names."""


class Confinement:
    """ASGI middleware that refuses two kinds of request with a 4xx and a sentence.

    Stock MONAI Label joins ids and tags to folders as they come, so `tag=../../x` would write outside the datastore.
    And a page of any web site that is open on the same computer could drive a server that asks no password: browsers
    send such requests with an `Origin` that is not ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # Uploads to a session may be unpacked; members that would land outside the folder are refused.
        tarfile.TarFile.extraction_filter = staticmethod(tarfile.data_filter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := _refusal(scope)):
            status, sentence = refusal
            await JSONResponse({"detail": sentence}, status_code=status)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return 403, "This server answers no web page of another origin."
    for name, value in parse_qsl(scope["query_string"].decode("latin-1")):
        if name in NAMES and (value in (".", "..") or any(character in value for character in "/\\\0")):
            return 422, f"`{name}` has to be a plain id, without folders."
    return None
