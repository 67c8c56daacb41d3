"""The file that requests are recorded in: JSON lines, only ever added to, begun anew when it has grown large."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEPT = 20
"""Older files beside the current one: `.1` is the newest."""


class AuditLog:
    """Appends records to a file that only its owner can read.

    Args:
        file: made with its folder at the first record. The salt of the hashes lies beside it, so that the same image has
            the same hash in all records.
        largest: bytes after which a new file is begun.
    """

    def __init__(self, file: Path, largest: int) -> None:
        self.file, self._largest = file, largest
        self._salt: bytes | None = None
        self._one_at_a_time = threading.Lock()

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one line, in one write.

        Raises:
            OSError: the file cannot be written.
        """
        line = (json.dumps(record, ensure_ascii=True, allow_nan=False) + "\n").encode()
        with self._one_at_a_time:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if self.file.exists() and self.file.stat().st_size + len(line) > self._largest:
                self._begin_anew()
            # Opened every time, so that a file which somebody moves away is not written to unseen.
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)

    def hashed(self, name: str) -> str:
        """A salted SHA-256 of an id: the same for the same id, and telling nothing of it to who has only the log.

        Raises:
            OSError: the salt cannot be read or written.
        """
        with self._one_at_a_time:
            salt = self._salt = self._salt or self._stored_salt()
        return hashlib.sha256(salt + name.encode("utf-8", "surrogatepass")).hexdigest()

    def _stored_salt(self) -> bytes:
        file = self.file.with_name(f"{self.file.name}.salt")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            part = file.with_name(f"{file.name}.{os.getpid()}.part")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(secrets.token_hex(32))
            os.replace(part, file)
        return file.read_bytes()

    def _begin_anew(self) -> None:
        def older(number: int) -> Path:
            return self.file.with_name(f"{self.file.name}.{number}")

        older(KEPT).unlink(missing_ok=True)
        for number in range(KEPT - 1, 0, -1):
            if older(number).exists():
                os.replace(older(number), older(number + 1))
        os.replace(self.file, older(1))
