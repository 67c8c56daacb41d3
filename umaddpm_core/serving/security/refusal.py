"""How a request is refused: a status and one sentence, as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


class Refused(Exception):
    """A request that is not passed on.

    Args:
        status: HTTP status, 4xx.
        sentence: for the person at the client.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with it."""
        response = JSONResponse({"detail": self.sentence}, status_code=self.status, headers=self.headers)
        await response(scope, receive, send)
