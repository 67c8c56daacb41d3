"""Refuses image files that name another file as the place of their voxels."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.files import READABLE

HEADER_BYTES = 1 << 18


def require_self_contained(scan: Path) -> None:
    """Check that the voxels of a NRRD or MetaImage file, or of every one in a folder, are in the file itself.

    Both formats may name any path there, so a file from outside could have the server read, and send back as an image,
    what its sender has no business with.

    Raises:
        InputError: the voxels are elsewhere, or the header does not say in its first 256 KiB where they are.
    """
    if scan.is_dir():
        for file in scan.rglob("*"):
            if file.name.lower().endswith(READABLE):
                require_self_contained(file)
        return
    if not scan.is_file():
        return
    with scan.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    if not (_nrrd_is_self_contained(head) and _metaimage_is_self_contained(head, scan.name)):
        raise InputError(f"{scan.name} has its voxels in another file; send one file that holds header and voxels.")


def _nrrd_is_self_contained(head: bytes) -> bool:
    if not head.startswith(b"NRRD"):
        return True
    header, end, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    return bool(end) and not re.search(rb"(?im)^\s*data ?file\s*:", header)


def _metaimage_is_self_contained(head: bytes, name: str) -> bool:
    place = re.search(rb"(?im)^\s*ElementDataFile\s*=\s*(\S+)", head)
    if place is None:
        return not name.lower().endswith((".mha", ".mhd"))
    return place[1].upper() == b"LOCAL"
