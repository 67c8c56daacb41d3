"""Requests as somebody sends them who means no good, and what has to come of them."""

from __future__ import annotations

import http.client
import io
import json
import tarfile
from collections.abc import Mapping

import requests

ORIGIN = "https://viewer.example:8443"
"""The one web origin that the server with tokens lists."""
SECRET = b"nobody else's business"
"""Content of a file outside the folders of a server, to which a link among its scans leads."""


def assert_refused(response: requests.Response, status: int, about: str = "") -> None:
    """One sentence as JSON, and nothing of the server's insides."""
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert isinstance(detail, str) and "\n" not in detail and detail.endswith((".", "?"))
    assert about in detail, detail
    assert "Traceback" not in response.text and "site-packages" not in response.text


def packed(name: str, link: str | None = None) -> bytes:
    """A tar file of one member, which is a link where it is to lead somewhere."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        archive.addfile(member)
    return stream.getvalue()


def raw_request(
    url: str, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request whose target is exactly as given; other clients tidy it up."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.putrequest(method, target, skip_host="Host" in (headers or {}))
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), text


def detail_of(text: bytes) -> str:
    return json.loads(text)["detail"]
