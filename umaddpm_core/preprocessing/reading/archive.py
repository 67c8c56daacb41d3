"""Zip archives, unpacked to a folder that is removed afterwards."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.files import READABLE
from umaddpm_core.preprocessing.reading.self_contained import require_self_contained

LARGEST_FILES = 20_000
LARGEST_BYTES = 4 << 30


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A temporary folder with the files of an archive.

    Raises:
        InputError: damaged, encrypted, too large when unpacked, or a member that would land, or has its voxels, outside.
    """
    with tempfile.TemporaryDirectory(prefix="anomaly-zip-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(archive, Path(folder), path.name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise InputError(f"{path.name} cannot be unpacked: it is damaged, truncated, encrypted or no zip.") from error
        yield Path(folder)


def _extract(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    members = [member for member in archive.infolist() if not member.is_dir() and _is_wanted(member.filename)]
    if len(members) > LARGEST_FILES:
        raise InputError(f"{name} holds {len(members)} files; at most {LARGEST_FILES} are unpacked.")
    # No more than the declared size is ever unpacked of a member.
    size = sum(member.file_size for member in members)
    if size > LARGEST_BYTES:
        raise InputError(f"{name} would unpack to {size / 2**30:.1f} GiB; at most {LARGEST_BYTES >> 30} GiB are unpacked.")
    for member in members:
        if member.filename.startswith("/") or ".." in PurePosixPath(member.filename).parts:
            raise InputError(f"{name} holds a file that would be unpacked outside its folder ({member.filename!r}).")
        file = Path(archive.extract(member, folder))
        if file.name.lower().endswith(READABLE):
            require_self_contained(file)


def _is_wanted(member: str) -> bool:
    parts = PurePosixPath(member).parts
    return "__MACOSX" not in parts and parts[-1].upper() != "DICOMDIR" and not parts[-1].startswith(".")
