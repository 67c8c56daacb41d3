"""Archives: whether they are whole, and what is in them."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from umaddpm_core.data.replacing import replacing
from umaddpm_core.errors import InputError

SUMS = "SHA256SUMS"
CHUNK = 1 << 22

Share = Callable[[float], None]
"""Told the share done, 0–1."""


def digests(path: Path, progress: Share | None = None) -> dict[str, str]:
    """`md5` and `sha256` of a file, in hexadecimal digits."""
    sums = {name: hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha256")}
    size = path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            for one in sums.values():
                one.update(chunk)
            if progress:
                progress(file.tell() / size)
    return {name: one.hexdigest() for name, one in sums.items()}


def check_archive(path: Path, progress: Share | None = None) -> int:
    """Read a tar archive of gzip files to its end, checking every member's CRC; returns how many files it holds.

    Raises:
        InputError: damaged, with the name of the member; or empty.
    """
    size, count, member = path.stat().st_size, 0, None
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                content = archive.extractfile(member)
                with gzip.open(content) if member.name.endswith(".gz") else content as file:
                    while file.read(CHUNK):
                        pass
                count += 1
                if progress:
                    progress(min((member.offset_data + member.size) / size, 1.0))
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        where = f" at {member.name}" if member else ""
        raise InputError(f"{path.name} is damaged{where} ({error}); delete it and run the same command again.") from error
    if not count:
        raise InputError(f"{path.name} is an empty archive; delete it and run the same command again.")
    return count


def unpack(path: Path, folder: Path) -> None:
    """Unpack a tar archive into a new folder, all of it or nothing; members that point out of the folder are refused.

    Raises:
        InputError: such a member, or it cannot be written.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with tarfile.open(path, "r:") as archive:
            archive.extractall(part, filter="data")
        os.replace(part, folder)
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{path.name} cannot be unpacked into {folder} ({error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def noted_sums(folder: Path) -> dict[str, str]:
    """SHA-256 by file name, from the `SHA256SUMS` of a folder."""
    path = folder / SUMS
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines if line.strip())}


def note_sum(folder: Path, name: str, sha256: str) -> None:
    """Write a file's SHA-256 into the `SHA256SUMS` of its folder, as `sha256sum --check` reads it."""
    sums = {**noted_sums(folder), name: sha256}
    with replacing(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
