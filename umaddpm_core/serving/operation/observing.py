"""Sees every request: gives it a number, counts it and logs how it was answered."""

from __future__ import annotations

import logging
import re
import secrets

from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from umaddpm_core.serving.operation.metrics import Metrics
from umaddpm_core.serving.request_facts import REQUEST_ID_HEADER, begin
from umaddpm_core.serving.security.roles import least_role
from umaddpm_core.serving.watching import watched

access = logging.getLogger("umaddpm_core.access")
"""One line for every request that was answered."""


class Observing:
    """ASGI middleware, around all others, so that what they refuse is seen as well."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, route = scope["method"], least_role(scope["method"], get_route_path(scope))[1]
        facts = begin(scope, request=_request_id(scope), route=route)

        async def numbering(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = facts["request"]
            await send(message)

        def told(status: int, seconds: float) -> None:
            self._metrics.answered(route, method, status, seconds)
            extra = {"method": method, "route": route, "status": status, "milliseconds": round(1000 * seconds, 1)}
            access.info("%s %s %s", method, route, status, extra=extra)

        await watched(self.app, scope, receive, numbering, told)


def _request_id(scope: Scope) -> str:
    """The client's own, where it is a plain word, else a new one."""
    sent = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return sent if re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", sent) else secrets.token_hex(8)
