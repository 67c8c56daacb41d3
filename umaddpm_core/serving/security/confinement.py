"""Keeps ids from being paths: whatever a request names stays in the folders of the server."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from urllib.parse import parse_qsl

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.errors import InputError
from umaddpm_core.serving.request_facts import note
from umaddpm_core.serving.security.refusal import Refused

NAMES = ("image", "images", "label", "tag", "label_tag", "id", "session", "session_id")
"""Parameters that stock MONAI Label turns into file names, in the query and in JSON."""
NUMBERS = ("lines", "refresh", "limit_cases", "expiry")
LONGEST = 200
"""Bytes of a name: file systems take 255 with the extension."""

PROXIED = re.compile(r"/proxy/dicom/((qido|wado|stow)/)?(studies|series|instances)(/[\w.,-]+)*/?", re.ASCII)
"""What the DICOMweb proxy hands on. Decoded once more by the archive, an escape or a question mark would lead elsewhere."""


class Confinement:
    """ASGI middleware that refuses paths where the URL has to hold ids; `fields` does so for the body.

    Stock MONAI Label joins ids and tags to folders as they come, so `tag=../../x` would write outside the datastore.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # Uploads to a session may be unpacked; members that would land outside the folder are refused.
        tarfile.TarFile.extraction_filter = staticmethod(tarfile.data_filter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                _require_plain_path(get_route_path(scope))
                _require_plain_query(scope)
            except Refused as refused:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def require_name(name: str, value: str) -> None:
    """Refuse what cannot be the name of one file in a folder.

    Args:
        name: of the parameter, for the sentence.

    Raises:
        Refused: a path, control characters, or too long.
    """
    if value in (".", "..") or any(character in value for character in "/\\"):
        raise Refused(422, f"`{name}` has to be a plain id, without folders.")
    if not value.isprintable():
        raise Refused(422, f"`{name}` has to be a plain id, of characters that can be printed.")
    if len(value.encode("utf-8", "replace")) > LONGEST:
        raise Refused(422, f"`{name}` has to be a plain id of at most {LONGEST} bytes.")


def inside(folder: str | Path, file: str | Path) -> Path:
    """The file with all links followed.

    Raises:
        InputError: it lies outside the folder.
    """
    real = Path(file).resolve()
    if not real.is_relative_to(Path(folder).resolve()):
        raise InputError(f"{Path(file).name} lies outside the folders of this server, so it is not read.")
    return real


def _require_plain_path(path: str) -> None:
    if not path.isprintable() or "\\" in path or ".." in path.split("/"):
        raise Refused(422, "The path of the request has to be plain, without `..`.")
    if path.startswith("/proxy/") and not PROXIED.fullmatch(path):
        raise Refused(422, "The proxy hands on plain DICOMweb paths only, such as `studies`, `series/UID` or `studies/UID/metadata`.")
    if (session := path.removeprefix("/session/")) not in (path, "") and not re.fullmatch(r"[\w-]{1,100}/?", session):
        raise Refused(422, "A session id has letters, digits and - only.")
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in path.split("/")):
        raise Refused(422, f"A part of the path has more than {LONGEST} bytes.")


def _require_plain_query(scope: Scope) -> None:
    named = []
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name in NAMES:
            require_name(name, value)
            if name not in ("tag", "label_tag", "images") and value:
                named.append(value)
        elif name in NUMBERS and not re.fullmatch(r"-?\d{0,9}", value):
            raise Refused(422, f"`{name}` has to be a whole number below a thousand million.")
        elif name == "check_sum" and not re.fullmatch(r"((SHA256|SHA512|MD5):)?[0-9a-fA-F]+", value):
            raise Refused(422, "`check_sum` has to be SHA256:, SHA512: or MD5: and hexadecimal digits.")
    note(scope, image=",".join(named) or None)
