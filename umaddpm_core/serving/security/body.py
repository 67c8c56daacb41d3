"""Reads the body of a request before anything acts on it, and hands on only what is acceptable."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from typing import BinaryIO
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from umaddpm_core.serving.request_facts import note
from umaddpm_core.serving.security.confinement import NAMES, require_name
from umaddpm_core.serving.security.fields import JSON_FIELDS, LARGEST_FIELD, require_plain_json
from umaddpm_core.serving.security.refusal import Refused
from umaddpm_core.serving.security.roles import least_role
from umaddpm_core.serving.security.uploads import require_acceptable

MOST_FILES = 1000
MOST_FIELDS = 50
IN_MEMORY = 1 << 20
STEP = 1 << 18
SECONDS_BETWEEN_CHUNKS = 60
FORM, URLENCODED, RELATED = b"multipart/form-data", b"application/x-www-form-urlencoded", b"multipart/related"


class Body:
    """ASGI middleware that refuses bodies which are too large, malformed, or hold what the route must not be given.

    The body goes to a temporary file without a name while it arrives, is read with the parser that the routes use as
    well, checked in the thread pool, and then replayed. So no route sees a request of which a later part is bad.

    Args:
        largest: bytes of a body.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self.app, self.largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
            try:
                await self._read(scope, receive, copy)
            except Refused as refused:
                await refused(scope, receive, send)
                return
            except _Gone:
                return
            copy.seek(0)
            await self.app(scope, _replayed(copy, receive), send)

    async def _read(self, scope: Scope, receive: Receive, copy: BinaryIO) -> None:
        headers = Headers(scope=scope)
        kind, options = parse_options_header(headers.get("content-type", ""))
        largest = self.largest if kind in (FORM, RELATED) else min(self.largest, LARGEST_FIELD)
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > largest:
            raise _too_large(largest)
        arriving = _copied(receive, copy, largest)
        if kind == FORM:
            if not 0 < len(options.get(b"boundary", b"")) <= 200:
                raise Refused(400, "The request is no form: its content type names no boundary.")
            form = await _parsed(headers, arriving)
            try:
                await run_in_threadpool(_require_acceptable_form, scope, form)
            finally:
                await form.close()
            return
        async for _ in arriving:
            pass
        if kind == RELATED:
            return
        copy.seek(0)
        text = copy.read().decode("utf-8", "replace")
        if kind == URLENCODED:
            for name, value in parse_qsl(text, keep_blank_values=True):
                _require_acceptable_field(scope, name, value)
        elif text.strip():
            require_plain_json("body", text)


class _Gone(Exception):
    """The client hung up while it was sending."""


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _copied(receive: Receive, copy: BinaryIO, largest: int) -> AsyncGenerator[bytes, None]:
    size, more = 0, True
    while more:
        try:
            message = await asyncio.wait_for(receive(), SECONDS_BETWEEN_CHUNKS)
        except TimeoutError:
            raise Refused(408, f"Nothing of the request arrived for {SECONDS_BETWEEN_CHUNKS} s.") from None
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > largest:
            raise _too_large(largest)
        copy.write(chunk)
        yield chunk
    yield b""


async def _parsed(headers: Headers, arriving: AsyncGenerator[bytes, None]) -> FormData:
    parser = MultiPartParser(
        headers, arriving, max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise Refused(413 if "ximum" in error.message else 400, f"The form is refused: {error.message}") from error


def _require_acceptable_form(scope: Scope, form: FormData) -> None:
    route = least_role(scope["method"], get_route_path(scope))[1]
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            note(scope, image=value.filename)
            require_acceptable(value, route, query)
        else:
            _require_acceptable_field(scope, name, value)


def _require_acceptable_field(scope: Scope, name: str, value: str) -> None:
    if name in JSON_FIELDS:
        require_plain_json(name, value, comments=name == "info" or scope["path"].startswith("/datastore/"))
    elif name in NAMES:
        require_name(name, value)


def _replayed(copy: BinaryIO, receive: Receive) -> Receive:
    """Hands on the body that was read, and then what comes after it: that the client hangs up."""
    ended = False

    async def replay() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        chunk = copy.read(STEP)
        ended = len(chunk) < STEP
        return {"type": "http.request", "body": chunk, "more_body": not ended}

    return replay


def _too_large(largest: int) -> Refused:
    size = f"{largest / 2**20:.0f} MiB" if largest >= 1 << 20 else f"{largest} bytes"
    return Refused(413, f"The request is too large; this server takes {size}.")
