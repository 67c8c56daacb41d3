"""One file over HTTP, in as many connections as it takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import ENOSPC
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from umaddpm_core.data.replacing import replacing
from umaddpm_core.errors import InputError

TIMEOUT_SECONDS = 60
ATTEMPTS = 8
"""Connections in a row that may bring nothing."""
LONGEST_PAUSE_SECONDS = 60
CHUNK = 1 << 20
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""HTTP states that pass."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Remote:
    """A file on a server: its size in bytes, the mark by which its versions are told apart (strong ETag, else the time of
    its last change), and its MD5 in base64; None is what the server does not say."""

    url: str
    size: int | None
    version: str | None
    md5: str | None

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> Remote:
        tag = headers.get("ETag", "")
        version = headers.get("Last-Modified") if not tag or tag.startswith("W/") else tag
        size = headers.get("Content-Length")
        return cls(url, int(size) if size and size.isdigit() else None, version, headers.get("Content-MD5"))


class _BrokenOff(OSError):
    """The connection ended before the file did."""


def inspect(url: str) -> Remote:
    """What the server says of a file, without fetching it.

    Raises:
        InputError: no http address, no such file, or no answer.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url} is no http or https address.")
    try:
        with urlopen(Request(url, method="HEAD"), timeout=TIMEOUT_SECONDS) as answer:
            return Remote.of(url, answer.headers)
    except HTTPError as error:
        raise _refused(url, error) from error
    except (OSError, HTTPException) as error:
        raise InputError(f"{url} cannot be reached ({_reason(error)}).") from error


def fetch(remote: Remote, part: Path, progress: Progress | None = None, pause: Callable[[float], None] = time.sleep) -> None:
    """Bring a file to the path `part`, going on from what is there of the same version.

    Args:
        remote: as `inspect` found it.
        part: beside it lies `….json`, which says of which version it is, until `forget` is told that it has its place.
        progress: told the bytes so far and in all.
        pause: waits so many seconds before another attempt.

    Raises:
        InputError: the file is refused, its size is not what was announced, or the connection fails time after time.
            What has come stays for the next time.
    """
    fruitless = 0
    while True:
        before = _size(part)
        try:
            _continue(remote, part, progress)
            return
        except HTTPError as error:
            if error.code not in TRY_AGAIN:
                raise _refused(remote.url, error) from error
            reason = str(error.code)
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and (error.filename or error.errno == ENOSPC):
                raise InputError(f"{part} cannot be written ({_reason(error)}).") from error
            reason = _reason(error)
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless == ATTEMPTS:
            raise InputError(f"{remote.url} broke off {ATTEMPTS} times ({reason}); run the same command again to go on.")
        pause(min(2**fruitless, LONGEST_PAUSE_SECONDS))


def _continue(remote: Remote, part: Path, progress: Progress | None) -> None:
    """One connection: what is missing, or everything where the server has another version or sends no parts."""
    version = _known_version(part, remote.url)
    have = _size(part) if version else 0
    if have and (version, have) == (remote.version, remote.size):
        return
    request = Request(remote.url)
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    try:
        answer = urlopen(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code != 416:
            raise
        part.unlink()
        raise _BrokenOff("the server knows no such part") from error
    with answer:
        start, total = _sent(answer, have)
        current = Remote.of(remote.url, answer.headers)
        if remote.size is not None and total != remote.size and current.version in (None, remote.version):
            raise InputError(f"{remote.url} was announced with {remote.size} bytes and comes with {total}; try again later.")
        if start and current.version not in (None, version):
            part.unlink()
            raise _BrokenOff("the file was changed on the server")
        if start == 0 and current.version:
            with replacing(_note(part)) as temporary:
                temporary.write_text(json.dumps({"url": remote.url, "version": current.version}))
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                if progress:
                    progress(file.tell(), total)
            came = file.tell()
    if total is not None and came != total:
        raise _BrokenOff(f"after {came} of {total} bytes")


def _sent(answer: HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where an answer begins in the file, and the size of the whole."""
    if answer.status != 206:
        size = answer.headers.get("Content-Length")
        return 0, int(size) if size else None
    span, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    if span.partition("-")[0] != str(have):
        raise _BrokenOff("the server sent another part than it was asked for")
    return have, int(total) if total.isdigit() else None


def forget(part: Path) -> None:
    """Remove what was noted about a file that is no part any more."""
    _note(part).unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _known_version(part: Path, url: str) -> str | None:
    """The version that `part` is the beginning of; None where that is not known."""
    try:
        note = json.loads(_note(part).read_text())
    except (OSError, ValueError):
        return None
    return note["version"] if note["url"] == url else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _refused(url: str, error: HTTPError) -> InputError:
    return InputError(f"{url} cannot be fetched: the server answers {error.code} ({error.reason}).")


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
