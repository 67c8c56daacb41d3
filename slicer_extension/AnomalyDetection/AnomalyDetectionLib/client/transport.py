"""HTTP with one server: token, certificate, time limits, and transfers that can be stopped.

Written on `http.client`, because it alone gives the socket, which has to be shut to end a transfer that hangs; and because it
never goes through a proxy that the environment names, which patients' scans must not reach.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from .address import Address
from .cancellation import Cancellation
from .errors import BrokenOff, Cancelled, CertificateRefused, NotOurServer, WrongToken
from .failures import NETWORK_ERRORS, NoConnection, named
from .form import BLOCK, Form
from .refusals import raise_for_status

CONNECT_S = 10.0
ANSWER_S = 60.0
LARGEST_ANSWER = 64 << 20
"""Bytes of an answer that is held in memory."""
REDIRECTS = 3

Told = Callable[[float], None]
"""Told the share of a transfer that is over, 0–1."""


class Transport:
    """Requests to one server, a connection each.

    Args:
        address: of the server.
        token: shown to it and to nobody else; never part of a message.
        ca_file: certificate of the server, or of who signs for it, where this computer does not trust it anyway.
        connect_s, answer_s: seconds without any sign after which the server counts as gone.

    Raises:
        WrongToken: the token has characters that none has.
        CertificateRefused: the certificate file cannot be read.
    """

    def __init__(
        self,
        address: Address,
        token: str | None = None,
        ca_file: str | Path | None = None,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        token = (token or "").strip()
        if not token.isascii() or not token.isprintable() or " " in token:
            raise WrongToken("The token holds characters that no token has; paste it again.")
        self.address = address
        self._token = token
        self._context = _tls_context(ca_file) if address.scheme == "https" else None
        self._connect_s, self._answer_s = connect_s, answer_s

    def __repr__(self) -> str:
        return f"Transport({self.address}, {'with' if self._token else 'without'} a token)"

    def json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Form | None = None,
        cancellation: Cancellation | None = None,
        sent: Told | None = None,
    ) -> Any:
        """What a route answers as JSON; None where the answer is empty.

        Args:
            body: sent as JSON.
            form: sent instead.
            sent: told how much of the form is sent.

        Raises:
            ClientError: of the kind that fits.
            Cancelled: `cancellation` was set.
        """
        with self._answer(method, path, query, body, form, cancellation, sent) as response:
            content = b"".join(self._blocks(response, cancellation))
        if not content:
            return None
        try:
            return json.loads(content)
        except ValueError as error:
            raise NotOurServer(f"What answers at {self.address} is not a server of anomaly detection.") from error

    def download(
        self,
        path: str,
        target: Path,
        query: Mapping[str, str] | None = None,
        method: str = "GET",
        form: Form | None = None,
        cancellation: Cancellation | None = None,
        sent: Told | None = None,
        received: Told | None = None,
        answer_s: float | None = None,
    ) -> Path:
        """Put what a route answers into a file, all of it or nothing.

        Args:
            target: replaced when everything is there.
            sent, received: told how far the transfers are.
            answer_s: another time limit, for a route that works before it answers.

        Raises:
            ClientError: of the kind that fits.
            Cancelled: `cancellation` was set.
            OSError: the file cannot be written.
        """
        part = target.with_name(f".{os.getpid()}.{target.name}.part")
        try:
            with self._answer(method, path, query, None, form, cancellation, sent, answer_s) as response, part.open("wb") as file:
                for block in self._blocks(response, cancellation, received, largest=None):
                    file.write(block)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return target

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Form | None = None,
        cancellation: Cancellation | None = None,
        sent: Told | None = None,
        answer_s: float | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to one request, its status being good; redirections on the same server are followed."""
        target = f"{self.address.prefix}{path}" + (f"?{urlencode(query)}" if query else "")
        for _ in range(REDIRECTS + 1):
            connection = self._connection()
            try:
                with self._connected(connection, cancellation):
                    with self._named_errors(cancellation):
                        response = self._asked(connection, method, target, body, form, sent, answer_s)
                        if response.status >= 400:
                            raise_for_status(response, response.read(LARGEST_ANSWER))
                    if response.status not in (301, 302, 303, 307, 308):
                        yield response
                        return
                target = self._followed(target, response.headers.get("Location", ""))
            finally:
                connection.close()
        raise NotOurServer(f"What answers at {self.address} sends requests round in circles.")

    @contextmanager
    def _connected(self, connection: http.client.HTTPConnection, cancellation: Cancellation | None) -> Iterator[None]:
        """Connect, and shut the connection when the cancellation is set."""
        cancellation = cancellation or Cancellation()
        cancellation.check()
        with self._named_errors(cancellation):
            try:
                connection.connect()
            except ssl.SSLError:
                raise
            except OSError as error:
                raise NoConnection from error
        sock = connection.sock

        def shut() -> None:
            with suppress(OSError):
                # The method of the plain socket: that of the TLS socket drops its state under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

        with cancellation.interrupting(shut):
            yield

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self.address.host, self.address.port, timeout=self._connect_s)
        return http.client.HTTPSConnection(self.address.host, self.address.port, timeout=self._connect_s, context=self._context)

    def _asked(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: Any,
        form: Form | None,
        sent: Told | None,
        answer_s: float | None,
    ) -> http.client.HTTPResponse:
        connection.sock.settimeout(self._answer_s)
        connection.putrequest(method, target)
        connection.putheader("Accept", "*/*")
        if self._token:
            connection.putheader("Authorization", f"Bearer {self._token}")
        content = json.dumps(body).encode() if body is not None else b""
        if form is not None or content or method in ("POST", "PUT"):
            connection.putheader("Content-Type", form.content_type if form else "application/json")
            connection.putheader("Content-Length", str(len(form) if form else len(content)))
        connection.endheaders(content or None)
        if form is not None:
            _send(connection, form, sent)
        connection.sock.settimeout(answer_s or self._answer_s)
        return connection.getresponse()

    def _followed(self, target: str, where: str) -> str:
        url = urljoin(f"{self.address.scheme}://{self.address.host}:{self.address.port}{target}", where)
        if not self.address.serves(url):
            raise NotOurServer(f"{self.address} sends requests on to {Address.of(url)}; give that address if you trust it.")
        parts = urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _blocks(
        self,
        response: http.client.HTTPResponse,
        cancellation: Cancellation | None,
        received: Told | None = None,
        largest: int | None = LARGEST_ANSWER,
    ) -> Iterator[bytes]:
        """The body of an answer, which has to be as long as its header says."""
        total, done = response.length, 0
        while True:
            with self._named_errors(cancellation):
                if not (block := response.read(BLOCK)):
                    break
            if cancellation is not None:
                cancellation.check()
            done += len(block)
            if largest is not None and done > largest:
                raise NotOurServer("The answer is longer than any that a server of anomaly detection gives.")
            if received and total:
                received(done / total)
            yield block
        if cancellation is not None:
            cancellation.check()
        if total is not None and done < total:
            raise BrokenOff(f"The connection to {self.address} broke off in the middle of a transfer.")

    @contextmanager
    def _named_errors(self, cancellation: Cancellation | None) -> Iterator[None]:
        """Turn what the network raises into one of our errors, or into `Cancelled` where we have cut it ourselves."""
        try:
            yield
        except NETWORK_ERRORS as error:
            if cancellation is not None and cancellation.is_set():
                raise Cancelled from error
            raise named(error, self.address, self._connect_s, self._answer_s) from error


def _send(connection: http.client.HTTPConnection, form: Form, sent: Told | None) -> None:
    """Send a form; a server that has answered and hung up before all of it was there is listened to."""
    total, done = len(form), 0
    with suppress(BrokenPipeError, ConnectionResetError):
        for block in form.blocks():
            connection.send(block)
            done += len(block)
            if sent:
                sent(done / total)


def _tls_context(ca_file: str | Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise CertificateRefused(f"{Path(ca_file).name} holds no certificate that can be read (PEM is expected).") from error
        # A server's own certificate may be given in place of its signer's.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
