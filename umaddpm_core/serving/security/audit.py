"""Records who asked for what, and what came of it; nothing in it says whose scan it was."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.errors import Rejected
from umaddpm_core.serving.request_facts import FACTS, note
from umaddpm_core.serving.security.audit_log import AuditLog
from umaddpm_core.serving.watching import watched

logger = logging.getLogger(__name__)


def note_result(scope: Scope, report: Mapping[str, Any]) -> None:
    """Leave what a detection was made with, and what came of it, from its report."""
    note(scope, **facts_of(report))


def facts_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a detection was made with, the verdict on the scan and the number of findings, from its report."""
    threshold, quality, lesions = report.get("threshold") or {}, report.get("quality") or {}, report.get("lesions")
    return {
        "model": report.get("model"),
        "threshold": threshold.get("value"),
        "threshold_name": threshold.get("name"),
        "verdict": quality.get("verdict"),
        "findings": None if lesions is None else len(lesions),
    }


def facts_of_failure(error: BaseException | None) -> dict[str, Any]:
    """The verdict on a scan that was rejected; nothing of other errors, whose sentences name scans."""
    return {"verdict": "reject"} if isinstance(error, Rejected) else {}


def record(log: AuditLog | None, what: str, *, who: str | None = None, image: str | None = None, **facts: Any) -> None:
    """Write one line; where that cannot be, nothing else changes, and the server's own log tells of it.

    Args:
        log: None where nothing is recorded.
        what: the request, or what ended after the request for it had been answered.
        who: name of the token.
        image: is hashed.
        facts: as for `note`.
    """
    if log is None:
        return
    try:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = {"when": now, "who": who, "what": what} | {name: value for name, value in facts.items() if value is not None}
        if image:
            line["image"] = log.hashed(image)
        log.append(line)
    except Exception as error:
        # Whatever it is, what was to be recorded has happened and stays so. The sentence names no scan.
        logger.error("An entry is missing in the audit log %s (%s).", log.file, error)


def who_asks(scope: Scope) -> str | None:
    """The name of the token that a request shows; None where the server has no tokens."""
    return scope.get(FACTS, {}).get("who")


class Audit:
    """ASGI middleware, around all others, that writes one line for every request, before its answer ends."""

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        facts = scope.setdefault(FACTS, {})

        def told(status: int, seconds: float) -> None:
            kept = {**facts}
            if not kept.pop("open", False):
                what = f"{scope['method']} {kept.pop('route', '?')}"
                record(self.log, what, status=status, seconds=round(seconds, 3), **kept)

        await watched(self.app, scope, receive, send, told)
