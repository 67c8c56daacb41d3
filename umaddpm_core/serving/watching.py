"""Noticing how a request is answered."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLIENT_CLOSED_REQUEST = 499
"""The number that proxies log where nobody waited for an answer."""


async def watched(app: ASGIApp, scope: Scope, receive: Receive, send: Send, told: Callable[[int, float], None]) -> None:
    """Let `app` answer a request, and tell `told` once the status and the seconds it took, also where it failed.

    It is told before the last piece of the answer goes out: whoever has the whole answer finds it counted.
    """
    status = CLIENT_CLOSED_REQUEST
    started = time.perf_counter()
    done = False

    def tell() -> None:
        nonlocal done
        if not done:
            done = True
            told(status, time.perf_counter() - started)

    async def noticing(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            tell()
        await send(message)

    try:
        await app(scope, receive, noticing)
    except BaseException:
        status = 500
        raise
    finally:
        tell()
