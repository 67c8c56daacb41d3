"""The address of an archive."""

from __future__ import annotations

from urllib.parse import urlsplit

from umaddpm_core.errors import InputError


def check_address(url: str) -> None:
    """Whether `url` can be that of an archive.

    Raises:
        InputError: no http address, or one with a user or password in it.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, valid = None, False
    if not valid:
        raise InputError("The address of the archive has to look like http://host:8042/dicom-web.")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "Give user and password of the archive in MONAI_LABEL_DICOMWEB_USERNAME and MONAI_LABEL_DICOMWEB_PASSWORD; "
            "an address with a password in it ends up in logs."
        )
