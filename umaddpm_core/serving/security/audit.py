"""Records who asked for what, and how it ended; nothing in it says whose scan it was."""

from __future__ import annotations

import datetime
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from umaddpm_core.serving.security.audit_log import AuditLog

FACTS = "umaddpm.audit"
"""Key of the scope under which the parts of the server leave what is to be recorded."""

CLIENT_CLOSED_REQUEST = 499
"""The number that proxies log where nobody waited for an answer."""

logger = logging.getLogger(__name__)


def note(scope: Scope, **facts: Any) -> None:
    """Leave facts for the record of this request; None adds nothing.

    Args:
        facts: `image` is hashed before it is written, `open=True` keeps the request out of the log; all others are
            written as they are, so they must not say who the patient is.
    """
    scope.setdefault(FACTS, {}).update({name: value for name, value in facts.items() if value is not None})


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


def who_asks(scope: Scope) -> str | None:
    """The name of the token that a request shows; None where the server has no tokens."""
    return scope.get(FACTS, {}).get("who")


def record_of(who: str | None, what: str, **facts: Any) -> dict[str, Any]:
    """A line of the log: when, who, what, and whatever else is to be said."""
    return {"when": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"), "who": who, "what": what, **facts}


def record_job(log: AuditLog | None, who: str, what: str, **facts: Any) -> None:
    """Write down what a job of the server did after the request that started it was answered; never raises."""
    if log is None:
        return
    try:
        log.append(record_of(who, what, **facts))
    except OSError as error:
        logger.error("What a job did is missing in the audit log %s (%s).", log.file, error)


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
        status = CLIENT_CLOSED_REQUEST
        scope[FACTS] = facts = {}
        started = time.perf_counter()

        async def noticing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noticing)
        except BaseException:
            status = 500
            raise
        finally:
            if not facts.pop("open", False):
                self._write(scope, facts, status, time.perf_counter() - started)

    def _write(self, scope: Scope, facts: dict[str, Any], status: int, seconds: float) -> None:
        try:
            image = facts.pop("image", None)
            what = f"{scope['method']} {facts.pop('route', '?')}"
            record = record_of(facts.pop("who", None), what, status=status, seconds=round(seconds, 3), **facts)
            if image:
                record["image"] = self.log.hashed(image)
            self.log.append(record)
        except Exception as error:
            # Whatever it is, the request was answered and stays so. The sentence names no scan.
            logger.error("A request is missing in the audit log %s (%s).", self.log.file, error)
