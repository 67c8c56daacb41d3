"""A server on loopback with every fault that a download has to survive, and an archive that stands in for IXI's."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest


@dataclass
class FaultyServer:
    """Serves one content under every name.

    Attributes:
        breaks: after how many bytes each of the next answers is broken off.
        ranges: whether it sends parts; strict: whether it heeds If-Range.
        announced: Content-Length of HEAD, where it is not the true one.
        states: HTTP states of the next answers, instead of the content.
        asked: the Range header of every GET.
    """

    content: bytes = b""
    version: str | None = '"1"'
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    strict: bool = True
    announced: int | None = None
    states: list[int] = field(default_factory=list)
    md5: str | None = None
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def change(self, content: bytes, version: str) -> None:
        self.content, self.version = content, version


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    faults = FaultyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            faults.asked.append(self.headers.get("Range"))
            self.answer(body=True)

        def answer(self, body):
            if faults.states:
                self.send_error(faults.states.pop(0))
                return
            content, start = faults.content, 0
            wanted = self.headers.get("Range")
            current = not faults.strict or self.headers.get("If-Range") in (None, faults.version)
            if body and wanted and faults.ranges and current:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            size = len(content) - start if body or faults.announced is None else faults.announced
            self.send_header("Content-Length", str(size))
            if faults.version:
                self.send_header("ETag", faults.version)
            if faults.md5:
                self.send_header("Content-MD5", faults.md5)
            self.end_headers()
            if body:
                sent = content[start:]
                if faults.breaks:
                    sent = sent[: faults.breaks.pop(0)]
                self.wfile.write(sent)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        faults.url = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield faults
        running.shutdown()
        thread.join()


def archive_of(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def make_archive():
    """Builds a tar archive from contents by member name."""
    return archive_of


@pytest.fixture
def members() -> dict[str, bytes]:
    """Three gzip files with names as in IXI; noise, so that they are some size."""
    noise = np.random.default_rng(0)
    names = ("IXI002-Guys-0828-T1.nii.gz", "IXI012-HH-1211-T1.nii.gz", "IXI035-IOP-0873-T1.nii.gz")
    return {name: gzip.compress(noise.bytes(100_000)) for name in names}


@pytest.fixture
def archive(members) -> bytes:
    """A tar archive that stands in for IXI-T1.tar."""
    return archive_of(members)
