"""Which scan a file is: by its name and by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple


class ScanIdentity(NamedTuple):
    """Name of a scan file or DICOM folder, and a digest of its content.

    The name belongs to it because the modality may be read from it; the path does not, so the same file uploaded twice is
    the same scan.
    """

    name: str
    content: str


def identity_of(scan: Path) -> ScanIdentity:
    """The identity of a scan file, or of a DICOM folder with all of its files."""
    digest = hashlib.blake2b()
    for file in sorted(scan.rglob("*")) if scan.is_dir() else [scan]:
        if file.is_file():
            if scan.is_dir():
                digest.update(file.name.encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return ScanIdentity(scan.name, digest.hexdigest())
