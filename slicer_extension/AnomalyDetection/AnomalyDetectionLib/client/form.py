"""A form with a file, read from disk piece by piece while it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import ClientError

BLOCK = 1 << 20
"""Bytes that are read, sent, or received at once: between two blocks the interpreter's lock has to be waited for."""


class Form:
    """The body of a `multipart/form-data` request.

    Args:
        fields: texts by name.
        file: to send, if any.
        file_field: the name of its field.
        file_name: what the server is told that it is called; by default its own name. Modality and format may be read from it.
    """

    def __init__(
        self, fields: Mapping[str, str], file: Path | None = None, file_field: str = "file", file_name: str | None = None
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.file = file
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
        )
        tail = f"--{boundary}--\r\n"
        if file is not None:
            head += (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{file_field}"; filename="{_quoted(file_name or file.name)}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            )
            tail = f"\r\n{tail}"
        self._head, self._tail = head.encode(), tail.encode()
        self._size = file.stat().st_size if file is not None else 0

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def blocks(self) -> Iterator[bytes]:
        """The body from beginning to end.

        Raises:
            ClientError: the file cannot be read, or is not as long as it was.
        """
        yield self._head
        if self.file is not None:
            yield from self._file_blocks()
        yield self._tail

    def _file_blocks(self) -> Iterator[bytes]:
        left = self._size
        try:
            stream = self.file.open("rb")
        except OSError as error:
            raise ClientError(f"{self.file.name} cannot be read.") from error
        with stream:
            while left and (block := stream.read(min(BLOCK, left))):
                left -= len(block)
                yield block
        if left:
            raise ClientError(f"{self.file.name} became shorter while it was sent.")


def _quoted(name: str) -> str:
    """As HTML says that browsers send it (section 4.10.21.8, multipart form data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
