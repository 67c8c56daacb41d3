"""Lets in who shows a token that allows the route, and without tokens only this computer."""

from __future__ import annotations

from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.serving.request_facts import note
from umaddpm_core.serving.security.refusal import Refused
from umaddpm_core.serving.security.roles import OPEN, least_role
from umaddpm_core.serving.security.tokens import Holder, Tokens, is_loopback

FORWARDED = ("forwarded", "x-forwarded-for")
HOLDER = "umaddpm.holder"
"""Key of the scope under which the routes find who asks."""


def holder_of(scope: Scope) -> Holder | None:
    """Who asks; None where the server has no tokens."""
    return scope.get(HOLDER)


class Access:
    """ASGI middleware that answers 401 or 403 to who may not; the token goes no further.

    Args:
        tokens: false where none is configured.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self.app, self.tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # There is none, and one that is added has to be thought of here.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            try:
                self._require(scope)
            except Refused as refused:
                await refused(scope, receive, send)
                return
            # The DICOMweb proxy would hand it on to the archive.
            scope["headers"] = [entry for entry in scope["headers"] if entry[0].lower() != b"authorization"]
        await self.app(scope, receive, send)

    def _require(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        role, route = least_role(scope["method"], get_route_path(scope))
        note(scope, route=route, open=role is OPEN)
        if not self.tokens:
            _require_this_computer(scope, headers)
        elif role is not OPEN:
            holder = self._holder(headers)
            note(scope, who=holder.name)
            scope[HOLDER] = holder
            if holder.role < role:
                raise Refused(403, f"This needs a token with the role {role.name}; that of {holder.name} is {holder.role.name}.")

    def _holder(self, headers: Headers) -> Holder:
        shown = headers.getlist("authorization")
        if not shown:
            raise _unknown("This server asks for a token: send it as `Authorization: Bearer TOKEN`.")
        kind, _, token = shown[0].partition(" ")
        if len(shown) > 1 or kind.lower() != "bearer" or not token.strip():
            raise _unknown("The token has to be sent once, as `Authorization: Bearer TOKEN`.")
        holder = self.tokens.holder(token.strip())
        if holder is None:
            raise _unknown("This server does not know the token.", 'Bearer realm="umaddpm", error="invalid_token"')
        return holder


def _unknown(sentence: str, challenge: str = 'Bearer realm="umaddpm"') -> Refused:
    return Refused(401, sentence, {"WWW-Authenticate": challenge})


def _require_this_computer(scope: Scope, headers: Headers) -> None:
    """The server may have been started without `umaddpm serve`, so what it listens on is told by the connection."""
    server = scope.get("server")
    if server and server[1] is not None and not is_loopback(server[0]):
        raise Refused(403, "This server has no tokens, so it answers only the computer it runs on.")
    # A proxy on this computer makes everyone look local.
    if any(name in headers for name in FORWARDED):
        raise Refused(403, "This server has no tokens, so it answers nothing that a proxy hands on.")
