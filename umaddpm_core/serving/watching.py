"""Noticing how a request is answered."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLIENT_CLOSED_REQUEST = 499
"""The number that proxies log where nobody waited for an answer."""


async def watched(app: ASGIApp, scope: Scope, receive: Receive, send: Send, told: Callable[[int, float], None]) -> None:
    """Let `app` answer a request, and then tell `told` the status and the seconds it took, also where it failed."""
    status = CLIENT_CLOSED_REQUEST
    started = time.perf_counter()

    async def noticing(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await app(scope, receive, noticing)
    except BaseException:
        status = 500
        raise
    finally:
        told(status, time.perf_counter() - started)
