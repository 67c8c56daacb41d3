"""Takes the places of files, and stack traces, out of what is answered."""

from __future__ import annotations

import json
import re
import site
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRACE = re.compile(r'^(Traceback \(most recent call last\)|\s+File ".*", line \d+|\s{4,}\S|During handling of the above)')
KINDS = ("application/json", "text/plain")
LOGS = "/logs/"
"""For administrators, who need them as they are."""


class Answers:
    """ASGI middleware that leaves of every file in a JSON or text answer its name only.

    Stock MONAI Label tells clients where scans, sessions and logs lie, and hands on the last lines of a job that failed.

    Args:
        folders: of the server; paths below them are shortened.
    """

    def __init__(self, app: ASGIApp, folders: Iterable[str | Path]) -> None:
        self.app = app
        here = (tempfile.gettempdir(), Path.home(), Path.cwd(), sys.prefix, sys.base_prefix, *site.getsitepackages())
        known = {str(form) for folder in (*folders, *here) for form in (Path(folder).absolute(), Path(folder).resolve())}
        # The longest first, so that no folder is taken for a file of the folder it lies in.
        self._folders = sorted((folder for folder in known if len(folder) > 1), key=len, reverse=True)
        alternatives = "|".join(map(re.escape, self._folders))
        self._path = re.compile(rf"(?<![\w/.-])(?:{alternatives})((?:/[^\s'\"<>|;,:()\[\]]*)?)(?![\w-])")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(LOGS):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def shortening(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type", "").startswith(KINDS):
                    start = message
                    return
            elif message["type"] == "http.response.body" and start is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body", False):
                    return
                shortened = self._shortened(bytes(body))
                # A HEAD request is told the length of what it is not sent.
                if scope["method"] != "HEAD":
                    MutableHeaders(scope=start)["content-length"] = str(len(shortened))
                await send(start)
                start = None
                message = {**message, "body": shortened}
            await send(message)

        await self.app(scope, receive, shortening)

    def _shortened(self, body: bytes) -> bytes:
        if not any(folder.encode() in body for folder in self._folders) and b'", line ' not in body and b"Traceback" not in body:
            return body
        try:
            return json.dumps(self._plain(json.loads(body)), ensure_ascii=False).encode()
        except ValueError:
            return self._text(body.decode("utf-8", "replace")).encode()

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._plain(inner) for inner in value if not (isinstance(inner, str) and TRACE.match(inner))]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if any(text.startswith(f"{folder}/") for folder in self._folders) and "\n" not in text and ": " not in text:
            return Path(text).name
        text = "\n".join(line for line in text.split("\n") if not TRACE.match(line)) if "Traceback" in text else text
        return self._path.sub(lambda found: Path(found[1]).name or "(folder)", text)
