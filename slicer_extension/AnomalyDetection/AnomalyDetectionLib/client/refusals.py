"""From an HTTP status that is no success to the error that it means."""

from __future__ import annotations

import http.client
import json

from .errors import Busy, NotAllowed, NotFound, NotOurServer, Refused, ServerFailed, WrongToken

RETRY_S = 10.0
"""What to wait where a busy server does not say."""
LONGEST = 400
"""Characters of a sentence that is shown."""


def raise_for_status(response: http.client.HTTPResponse, content: bytes) -> None:
    """Raise what an answer of 400 or above means, in the words of the server where it has any.

    Raises:
        WrongToken, NotAllowed, NotFound, Refused, Busy, ServerFailed: by the status.
        NotOurServer: what answered is something in between, or another program.
    """
    status, detail = response.status, _detail(content)
    if status == 401:
        raise WrongToken(detail or "The server asks for a token.")
    if status in (429, 503):
        raise Busy(detail or "The server is busy.", _seconds(response.headers.get("Retry-After")))
    if status in (502, 504):
        raise NotOurServer(f"A proxy answers in place of the server, which it cannot reach (status {status}).")
    if status >= 500:
        raise ServerFailed(detail or f"The server failed (status {status}) and does not say why; its log does.")
    kind = {403: NotAllowed, 404: NotFound}.get(status, Refused)
    raise kind(detail or f"The server refuses the request (status {status}).", status)


def _detail(content: bytes) -> str:
    """The sentence of a JSON answer; empty where there is none, such as in the page of a proxy."""
    try:
        detail = json.loads(content)["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    return (detail if isinstance(detail, str) else json.dumps(detail))[:LONGEST]


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text), 0.0), 3600.0)
    except (TypeError, ValueError):
        return RETRY_S
