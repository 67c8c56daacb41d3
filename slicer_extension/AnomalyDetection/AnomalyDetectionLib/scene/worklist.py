"""Which scan of the scene is which case of which server's worklist, and what of its name the server may know."""

from __future__ import annotations

import re
import zlib

import numpy as np
import slicer

from .volumes import array_of, ijk_to_ras

IMAGE, SERVER, STATE = "AnomalyDetection.image", "AnomalyDetection.server", "AnomalyDetection.state"


def mark(scan: slicer.vtkMRMLScalarVolumeNode, server: str, image: str) -> None:
    """Keep with a scan which case of a server, named by its address, it is; and whether it lies there as it is now."""
    scan.SetAttribute(SERVER, server)
    scan.SetAttribute(IMAGE, image)
    # What was sent under a transform lies elsewhere there.
    scan.SetAttribute(STATE, "" if scan.GetParentTransformNode() else _state(scan))


def image_of(scan: slicer.vtkMRMLScalarVolumeNode | None, server: str) -> str:
    """The case that a scan is; empty where it is none of this server."""
    if scan is None or not server or scan.GetAttribute(SERVER) != server:
        return ""
    return scan.GetAttribute(IMAGE) or ""


def is_as_on_server(scan: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether a case of the worklist has neither been changed nor moved since: then it need not be sent again."""
    return scan.GetParentTransformNode() is None and scan.GetAttribute(STATE) == _state(scan)


def sequence_in(name: str) -> str:
    """`T1` or `T2` where the name of a scan says so; nothing else of it leaves this computer."""
    found = re.search(r"(?<![A-Za-z0-9])T[12](?![0-9])", name, re.IGNORECASE)
    return found[0].upper() if found else ""


def _state(scan: slicer.vtkMRMLScalarVolumeNode) -> str:
    """Digest of voxels and geometry."""
    voxels = zlib.crc32(np.ascontiguousarray(array_of(scan)))
    return f"{zlib.crc32(ijk_to_ras(scan).round(4).tobytes(), voxels):08x}"
