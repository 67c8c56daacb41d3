"""Compressed uploads that would unpack to far more than they are."""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from umaddpm_core.serving.security.refusal import Refused

LARGEST = 4 << 30
"""Bytes that an archive may unpack to."""
UNSUSPICIOUS = 1 << 30
"""Bytes that anything may unpack to at any ratio: an empty mask of the largest scan shrinks a thousandfold."""
LARGEST_RATIO = 200
MOST_MEMBERS = 20_000
STEP = 1 << 16

_OPENERS = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}


def require_bounded(file: BinaryIO, size: int, name: str) -> None:
    """Refuse an upload that is a decompression bomb, by its content, whatever it is called.

    A zip is judged by what its table of contents declares, as no more than that is ever unpacked of a member; a tar and
    a single compressed file by being unpacked, to nowhere, until they exceed the limit.

    Args:
        file: at any position, seekable.
        size: bytes of the upload.
        name: for the sentence.

    Raises:
        Refused: 413 when it grows too large or has too many members, 422 when it is damaged.
    """
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or (name.lower().endswith(".zip") and zipfile.is_zipfile(file)):
        _require_bounded_zip(file, size, name)
        file.seek(0)
        return
    if kind := next((kind for magic, kind in _OPENERS.items() if head.startswith(magic)), None):
        unpacked = 0
        for block in unpacked_blocks(file, kind, name):
            unpacked += len(block)
            _require_size(unpacked, size, name)
    _require_bounded_tar(file, size, name)
    file.seek(0)


def unpacked_blocks(file: BinaryIO, kind: str, name: str) -> Iterator[bytes]:
    """The content of a gzip, bzip2 or xz file in blocks of at most 64 KiB.

    Raises:
        Refused: damaged; one that ends early is not, as its reader says that better.
    """
    file.seek(0)
    unpacker = _unpacker(kind)
    data = b""
    try:
        while True:
            if not data and not getattr(unpacker, "needs_input", True):
                block = unpacker.decompress(b"", STEP)
            else:
                data = data or file.read(STEP)
                if not data:
                    return
                block = unpacker.decompress(data, STEP)
                data = unpacker.unconsumed_tail if kind == "gz" else b""
            if block:
                yield block
            if unpacker.eof:
                # Several compressed streams may stand one after the other.
                data = unpacker.unused_data or file.read(STEP)
                if not data.strip(b"\0"):
                    return
                unpacker = _unpacker(kind)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise Refused(422, f"{name} cannot be unpacked: it is damaged or of another kind.") from error


def _unpacker(kind: str):
    return {"gz": lambda: zlib.decompressobj(31), "bz2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor}[kind]()


def _require_bounded_zip(file: BinaryIO, size: int, name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused(422, f"{name} cannot be unpacked: it is damaged, truncated or no zip.") from error
    if len(members) > MOST_MEMBERS:
        raise _too_many(name)
    if any(member.flag_bits & 1 for member in members):
        raise Refused(422, f"{name} cannot be unpacked: it is encrypted.")
    _require_size(sum(member.file_size for member in members), size, name)


def _require_bounded_tar(file: BinaryIO, size: int, name: str) -> None:
    """Headers of a tar cost nothing in its size but a file each when it is unpacked."""
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:*") as archive:
            unpacked = 0
            for number, member in enumerate(archive, 1):
                if number > MOST_MEMBERS:
                    raise _too_many(name)
                # A sparse member may claim any size and hold nothing.
                unpacked += member.size
                _require_size(unpacked, size, name)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        # No tar, or a damaged one, which is not unpacked.
        return


def _require_size(unpacked: int, size: int, name: str) -> None:
    if unpacked > LARGEST:
        raise Refused(413, f"{name} unpacks to more than {LARGEST >> 30} GiB, which is the most that is unpacked.")
    if unpacked > UNSUSPICIOUS and unpacked > LARGEST_RATIO * size:
        raise Refused(413, f"{name} unpacks to more than {LARGEST_RATIO} times its size, as no scan does.")


def _too_many(name: str) -> Refused:
    return Refused(413, f"{name} holds more than {MOST_MEMBERS} files, which is the most that are unpacked.")
