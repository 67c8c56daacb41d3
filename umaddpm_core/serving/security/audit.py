"""Records who asked for what, and how it ended; nothing in it says whose scan it was."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.serving.request_facts import FACTS, note
from umaddpm_core.serving.security.audit_log import AuditLog
from umaddpm_core.serving.watching import watched

logger = logging.getLogger(__name__)


def note_result(scope: Scope, report: dict[str, Any]) -> None:
    """Leave what a detection was made with, and its verdict, from its report."""
    threshold, quality = report.get("threshold") or {}, report.get("quality") or {}
    note(
        scope,
        model=report.get("model"),
        threshold=threshold.get("value"),
        threshold_name=threshold.get("name"),
        verdict=quality.get("verdict"),
    )


class Audit:
    """ASGI middleware, around all others, that writes one line for every request once it is answered.

    A log that cannot be written to changes no answer; the server's own log tells of it.
    """

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        facts = scope.setdefault(FACTS, {})

        def told(status: int, seconds: float) -> None:
            if not facts.get("open", False):
                self._write(scope, {**facts}, status, seconds)

        await watched(self.app, scope, receive, send, told)

    def _write(self, scope: Scope, facts: dict[str, Any], status: int, seconds: float) -> None:
        try:
            image, _ = facts.pop("image", None), facts.pop("open", None)
            record = {
                "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
                "who": facts.pop("who", None),
                "what": f"{scope['method']} {facts.pop('route', '?')}",
                "status": status,
                "seconds": round(seconds, 3),
                **facts,
            }
            if image:
                record["image"] = self.log.hashed(image)
            self.log.append(record)
        except Exception as error:
            # Whatever it is, the request was answered and stays so. The sentence names no scan.
            logger.error("A request is missing in the audit log %s (%s).", self.log.file, error)
