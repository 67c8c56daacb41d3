"""What the header of an uploaded volume claims, known before any voxel is read."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.checks import LARGEST_VOXELS
from umaddpm_core.preprocessing.reading.self_contained import require_self_contained
from umaddpm_core.serving.security.expansion import unpacked_blocks
from umaddpm_core.serving.security.refusal import Refused

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
"""Files that hold header and voxels of one volume, which the datastore can hold."""
HEADER = 1 << 18
LARGEST_OFFSET = 1 << 24
"""Bytes before the voxels of a NIfTI file; a larger claim would have its reader unpack for hours to get there."""


def is_volume(name: str) -> bool:
    """Whether a file name is that of a volume."""
    return name.lower().endswith(VOLUMES)


def require_sane_grid(file: BinaryIO, name: str) -> None:
    """Refuse a volume whose header cannot be read, or claims a grid that no scan has.

    Args:
        file: at any position, seekable.
        name: with one of the suffixes `VOLUMES`.

    Raises:
        Refused: with what is wrong, in one sentence.
    """
    try:
        if name.lower().endswith((".nii", ".nii.gz")):
            _require_sane_nifti(_head(file, name, 1 << 12), name)
        else:
            _require_sane_text_header(_head(file, name, HEADER), name)
    except InputError as error:
        raise Refused(422, str(error)) from error
    finally:
        file.seek(0)


def _head(file: BinaryIO, name: str, length: int) -> bytes:
    file.seek(0)
    head = file.read(length)
    if not (head.startswith(b"\x1f\x8b") and name.lower().endswith(".gz")):
        return head
    unpacked = b""
    for block in unpacked_blocks(file, "gz", name):
        unpacked += block
        if len(unpacked) >= length:
            break
    return unpacked


def _require_sane_nifti(head: bytes, name: str) -> None:
    second = 540 in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    kind = Nifti2Header if second else Nifti1Header
    length = kind.template_dtype.itemsize
    if len(head) < length or not (second or 348 in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))):
        raise _unreadable(name)
    header = kind(head[:length], check=False)
    axes = int(header["dim"][0])
    if not 1 <= axes <= 7:
        raise _unreadable(name)
    if not 0 <= float(header["vox_offset"]) <= LARGEST_OFFSET:
        raise InputError(f"{name} claims that its voxels begin {float(header['vox_offset']):.3g} bytes into it.")
    size = [int(side) for side in header["dim"][1 : axes + 1]]
    _require_sane_size(size, name)


def _require_sane_text_header(head: bytes, name: str) -> None:
    text = head.replace(b"\r\n", b"\n")
    if name.lower().endswith(".nrrd"):
        found = re.search(rb"(?m)^sizes:\s*([\d \t+-]+)$", text.partition(b"\n\n")[0])
        known = text.startswith(b"NRRD") and found
    else:
        known = found = re.search(rb"(?m)^\s*DimSize\s*=\s*([\d \t+-]+)$", text)
    if not known:
        raise _unreadable(name)
    _require_sane_size([int(side[:20]) for side in found[1].split() if side.lstrip(b"+-").isdigit()], name)
    with tempfile.TemporaryDirectory(prefix="anomaly-head-") as folder:
        (Path(folder) / name[-100:]).write_bytes(head)
        require_self_contained(Path(folder) / name[-100:])


def _require_sane_size(size: list[int], name: str) -> None:
    """Only the number of voxels matters here; whether a head fits is judged, and said, where a scan is read."""
    if len(size) < 3 or min(size) < 1:
        raise InputError(f"{name} is not a volume: its size is {' × '.join(map(str, size)) or 'missing'}.")
    voxels = np.prod(size, dtype=float)
    if voxels > LARGEST_VOXELS:
        raise InputError(f"{name} claims {voxels / 1e6:.0f} million voxels; at most {LARGEST_VOXELS / 1e6:.0f} million are read.")


def _unreadable(name: str) -> InputError:
    return InputError(f"{name} cannot be read as an image: it is damaged, truncated or of another kind.")
