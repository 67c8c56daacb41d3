"""The address of a server as people type it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import Unreachable


@dataclass(frozen=True)
class Address:
    """Where a server is: `http` or `https`, host, port, and the path that a proxy puts before its routes."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def of(cls, text: str) -> Address:
        """Read an address; `http://` may be left out, and `0.0.0.0`, which servers print, is this computer.

        Raises:
            Unreachable: it is no address of a server.
        """
        text = text.strip()
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        except ValueError:
            scheme, host, port = "", None, None
        if scheme not in ("http", "https") or not host or any(letter.isspace() for letter in text):
            raise Unreachable("This is no address of a server; give one such as http://127.0.0.1:8000.")
        if parts.username is not None or parts.password is not None:
            raise Unreachable("The address holds a user name; give the token in its own field.")
        host = "127.0.0.1" if host == "0.0.0.0" else host
        return cls(scheme, host, port or (443 if scheme == "https" else 80), parts.path.rstrip("/"))

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read along: https, or this very computer."""
        if self.scheme == "https" or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def serves(self, url: str) -> bool:
        """Whether an absolute or relative URL leads to the same server."""
        parts = urlsplit(url)
        if not parts.scheme and not parts.netloc:
            return True
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        return (parts.scheme, parts.hostname, port) == (self.scheme, self.host, self.port)

    def __str__(self) -> str:
        usual = {"http": 80, "https": 443}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.prefix}"
