"""The archives of IXI: what they are, and the way from the server to a folder that `umaddpm preprocess` reads."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.data.download.archive import check_archive, digests, note_sum, noted_sums, unpack
from umaddpm_core.data.download.transfer import Remote, fetch, forget
from umaddpm_core.errors import InputError

BASE_URL = "http://biomedic.doc.ic.ac.uk/brain-development/downloads/IXI/"
LICENCE = "IXI data set, brain-development.org, CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/)"
MODALITIES = ("T1", "T2")
MD5 = {"T1": "34901a0593b41dd19c1a1f746eac2d58", "T2": "e3140d78730ecdd32ba92da48c0a9aaa"}
"""Of the official archives. The site publishes none; these are what the loaders of MONAI and torchio expect."""

Report = Callable[[float, str], None]
"""Told the share done, 0–1, and in words what is being done."""


@dataclass(frozen=True)
class Archive:
    """One archive of IXI, and where it goes."""

    modality: str
    folder: Path
    base_url: str = BASE_URL

    @property
    def name(self) -> str:
        return f"IXI-{self.modality}.tar"

    @property
    def url(self) -> str:
        return f"{self.base_url.rstrip('/')}/{self.name}"

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def part(self) -> Path:
        return self.folder / f"{self.name}.part"

    @property
    def unpacked(self) -> Path:
        return self.folder / f"IXI-{self.modality}"

    @property
    def is_missing(self) -> bool:
        """Whether it has to be fetched: neither the archive nor what was in it is there."""
        return not self.path.exists() and not self.unpacked.exists()


def check_space(folder: Path, missing: Iterable[tuple[Archive, Remote]]) -> None:
    """Refuse a download for which the disk has no room: what is still to come, and as much again to unpack.

    Raises:
        InputError: with both numbers.
    """
    needed = 0
    for archive, remote in missing:
        have = archive.part.stat().st_size if archive.part.exists() else 0
        needed += 2 * (remote.size or 0) - have
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(f"{folder} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed, archives and scans together.")


def obtain(archive: Archive, remote: Remote | None, sha256: str | None = None, report: Report = lambda share, words: None) -> str:
    """Fetch, verify and unpack one archive; whatever of that was done before is not done again.

    An archive that is there already is verified again, against the sum that was written when it came.

    Args:
        remote: as `inspect` found it; not needed where the archive or its contents are there.
        sha256: what the archive must have; otherwise its MD5 must be the known one.

    Returns:
        In words, what was done and how it was verified.

    Raises:
        InputError: the download fails, or the archive is not what it should be. A wrong one is kept as `….part`.
    """
    name = archive.name
    done = []
    if archive.is_missing:
        fetch(remote, archive.part, lambda have, of: report(have / of if of else 0.0, f"{name}: {_gigabytes(have, of)}"))
        sums = digests(archive.part, lambda share: report(share, f"{name}: checksums"))
        how = _check_sums(archive, remote, sums, sha256)
        count = check_archive(archive.part, lambda share: report(share, f"{name}: reading every scan"))
        note_sum(archive.folder, name, sums["sha256"])
        os.replace(archive.part, archive.path)
        forget(archive.part)
        done.append(f"fetched, {how}, {count} scans intact")
    elif archive.path.exists():
        expected = sha256 or noted_sums(archive.folder).get(name)
        found = digests(archive.path, lambda share: report(share, f"{name}: checksums"))["sha256"]
        if expected and expected.lower() != found:
            raise InputError(f"{archive.path} has changed since it was fetched (its SHA-256 is {found}); delete it to fetch it again.")
        if not expected:
            check_archive(archive.path, lambda share: report(share, f"{name}: reading every scan"))
            note_sum(archive.folder, name, found)
        done.append("there already, SHA-256 as before" if expected else "there already, intact")
    if not archive.unpacked.exists():
        report(1.0, f"{name}: unpacking")
        unpack(archive.path, archive.unpacked)
        done.append(f"unpacked into {archive.unpacked}")
    return f"{name}: {'; '.join(done) or f'{archive.unpacked} is there already'}"


def _check_sums(archive: Archive, remote: Remote, sums: dict[str, str], sha256: str | None) -> str:
    """Compare with every sum that is known; says in words which."""
    expected = [("SHA-256 as given", "sha256", sha256 and sha256.lower())]
    if not sha256:
        expected.append(("MD5 as known", "md5", MD5.get(archive.modality)))
    if remote.md5:
        expected.append(("MD5 as the server says", "md5", base64.b64decode(remote.md5).hex()))
    for words, kind, wanted in expected:
        if wanted and sums[kind] != wanted:
            raise InputError(
                f"{archive.part} is not the archive it should be (not the {words}: {wanted}); delete it to fetch it again, "
                f"or, if you trust it, accept it with --sha256 {archive.modality}={sums['sha256']}."
            )
    return " and ".join(words for words, _, wanted in expected if wanted)


def _gigabytes(have: int, of: int | None) -> str:
    return f"{have / 1e9:.2f} of {of / 1e9:.2f} GB" if of else f"{have / 1e9:.2f} GB"
