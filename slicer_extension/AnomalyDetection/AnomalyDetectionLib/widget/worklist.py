"""Which scan of the scene is which case of which server's worklist, and what of its name the server may know."""

from __future__ import annotations

import re
from typing import Any

from ..client import Client

IMAGE, SERVER = "AnomalyDetection.image", "AnomalyDetection.server"


def mark(scan: Any, client: Client, image: str) -> None:
    """Keep with a scan which case it is."""
    scan.SetAttribute(IMAGE, image)
    scan.SetAttribute(SERVER, str(client.address))


def image_of(scan: Any, client: Client | None) -> str:
    """The case that a scan is; empty where it is none of this server."""
    if scan is None or client is None or scan.GetAttribute(SERVER) != str(client.address):
        return ""
    return scan.GetAttribute(IMAGE) or ""


def sequence_in(name: str) -> str:
    """`T1` or `T2` where the name of a scan says so; nothing else of it leaves this computer."""
    found = re.search(r"(?<![A-Za-z0-9])T[12](?![0-9])", name, re.IGNORECASE)
    return found[0].upper() if found else ""
