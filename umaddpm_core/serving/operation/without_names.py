"""Takes out of a text what may say whose scan it was."""

from __future__ import annotations

import re

from umaddpm_core.serving.request_facts import present

REMOVED = "[scan]"

_SUFFIX = r"\.(?:nii(?:\.gz)?|nrrd|nhdr|mha|mhd|dcm|dicom|zip|tar|tgz|gz)"
_FILE = re.compile(rf"[^\s'\"<>|;,:()\[\]{{}}]+{_SUFFIX}\b", re.IGNORECASE)
_UID = re.compile(r"\b\d+(?:\.\d+){5,}\b")


def without_names(text: str) -> str:
    """The text without names of scan files, DICOM UIDs, and the images that the present request names, wherever they stand."""
    for image in _images():
        text = text.replace(image, REMOVED)
    return _UID.sub(REMOVED, _FILE.sub(REMOVED, text))


def _images() -> list[str]:
    """The longest first, so that no part of a name is left."""
    named = str(present().get("image", ""))
    names = {named, *named.split(","), re.sub(rf"{_SUFFIX}$", "", named, flags=re.IGNORECASE)}
    # What is very short would be found in other words.
    return sorted((name for name in names if len(name) > 2), key=len, reverse=True)
