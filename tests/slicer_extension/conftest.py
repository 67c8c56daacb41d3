"""Clients of the extension for the real server, and small servers that misbehave on purpose."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from AnomalyDetectionLib.client import Client


@pytest.fixture
def client(server) -> Client:
    return Client(server.url)


class OddServer:
    """Listens on a free port of this computer and does with every connection what it was told to do; keeps what it received."""

    def __init__(self, behave: Callable[[socket.socket, OddServer], None]) -> None:
        self.received = bytearray()
        self.over = threading.Event()
        self.reached = threading.Event()
        self._behave = behave
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._behave(connection, self)
            except OSError:
                pass

    def read_head(self, connection: socket.socket) -> bytes:
        """The request up to its empty line, and what came with it."""
        head = b""
        while b"\r\n\r\n" not in head and (block := connection.recv(65536)):
            head += block
            self.received += block
        return head

    def read_request(self, connection: socket.socket) -> None:
        """The whole of a request that is not long."""
        head, _, body = self.read_head(connection).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        left = int(length[1]) - len(body) if length else 0
        while left > 0 and (block := connection.recv(65536)):
            self.received += block
            left -= len(block)

    def close(self) -> None:
        self.over.set()
        self._listening.close()


@pytest.fixture
def odd_server() -> Iterator[Callable[..., OddServer]]:
    """Starts servers that misbehave."""
    servers: list[OddServer] = []

    def start(behave: Callable[[socket.socket, OddServer], None]) -> OddServer:
        servers.append(OddServer(behave))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.fixture
def answering(odd_server) -> Callable[..., OddServer]:
    """Starts a server that reads a request and answers always the same bytes."""

    def start(answer: bytes) -> OddServer:
        def behave(connection: socket.socket, server: OddServer) -> None:
            server.read_request(connection)
            connection.sendall(answer)

        return odd_server(behave)

    return start
