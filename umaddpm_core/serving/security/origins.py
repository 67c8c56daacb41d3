"""Which web pages may use the server, and by which names it may be called."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from umaddpm_core.serving.security.refusal import Refused
from umaddpm_core.serving.security.settings import HOSTS_VARIABLE, SecuritySettings
from umaddpm_core.serving.security.tokens import is_loopback

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")


class Origins:
    """ASGI middleware that refuses web pages of other origins, unless they are listed, and foreign host names.

    A page of any web site that is open on the same computer could drive a server that asks for no token: browsers send
    such requests with an `Origin` that is not ours. And a site can give its own name the address of this computer
    (DNS rebinding), which makes its pages ours to the browser; its name then stands in `Host`.

    Args:
        needs_token: whether requests are let in by token; the name does not matter then.
    """

    def __init__(self, app: ASGIApp, settings: SecuritySettings, needs_token: bool) -> None:
        self._plain, self._settings, self._needs_token = app, settings, needs_token
        self._shared = CORSMiddleware(
            app, settings.origins, METHODS, ("Authorization", "Content-Type"), expose_headers=("Content-Disposition",)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._plain
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            try:
                self._require_known_host(headers, scope)
                origin = headers.get("origin")
                if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                    if origin.lower() not in self._settings.origins:
                        raise Refused(403, "This server answers no web page of another origin.")
                    app = self._shared
            except (Refused, ValueError) as error:
                refused = error if isinstance(error, Refused) else Refused(400, "The header `Origin` or `Host` is no address.")
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                else:
                    await refused(scope, receive, send)
                return
        await app(scope, receive, send)

    def _require_known_host(self, headers: Headers, scope: Scope) -> None:
        if self._needs_token:
            return
        name = (urlsplit(f"//{headers.get('host', '')}").hostname or "").rstrip(".")
        server = (scope.get("server") or ("",))[0]
        if not (is_loopback(name) or name in (self._settings.bind, server, *self._settings.hosts)):
            raise Refused(421, f"This server is not called {name[:100]!r}; {HOSTS_VARIABLE} can list further names of it.")
