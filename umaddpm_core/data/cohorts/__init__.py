"""Cohorts: where their scans lie, and who is who."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from umaddpm_core.data.cohorts.bids import bids
from umaddpm_core.data.cohorts.brats import brats
from umaddpm_core.data.cohorts.folder import folder
from umaddpm_core.data.cohorts.ixi import ixi, ixi_brain_labels
from umaddpm_core.data.cohorts.lgg import lgg
from umaddpm_core.data.cohorts.manifest import manifest
from umaddpm_core.data.cohorts.mslub import mslub
from umaddpm_core.data.cohorts.root import DATA_VARIABLE, data_root
from umaddpm_core.data.cohorts.scan import MODALITIES, Scan, check_distinct
from umaddpm_core.errors import InputError

__all__ = [
    "DATA_VARIABLE", "LAYOUTS", "MANIFEST", "MODALITIES", "Scan", "check_distinct", "cohort_name", "data_root", "guessed_layout",
    "ixi", "ixi_brain_labels", "lgg", "read_cohort",
]  # fmt: skip

LAYOUTS: dict[str, Callable[[Path], list[Scan]]] = {
    "ixi": ixi,
    "brats": brats,
    "mslub": mslub,
    "lgg": lgg,
    "bids": bids,
    "folder": folder,
}
"""What lists the scans of a folder, by the layout it has."""

NAMES = {"ixi": "IXI", "brats": "BraTS", "mslub": "MSLUB", "lgg": "LGG"}

MANIFEST = "manifest"
"""The layout of a CSV file."""


def read_cohort(source: Path, layout: str | None = None) -> list[Scan]:
    """The scans of a folder or CSV manifest, of every sequence, sorted by name.

    Args:
        layout: key of `LAYOUTS`; by default guessed.

    Raises:
        InputError: nothing there, no scans of that layout, or the layout cannot be guessed.
    """
    layout = layout or guessed_layout(source)
    if layout == MANIFEST:
        return manifest(source)
    if layout not in LAYOUTS:
        raise InputError(f"There is no layout {layout!r}; layouts are {', '.join(LAYOUTS)}.")
    if not source.is_dir():
        raise InputError(f"There is no folder {source}.")
    return LAYOUTS[layout](source)


def guessed_layout(source: Path) -> str:
    """The one layout whose names are found in a folder, `folder` where none is, `manifest` for a CSV file.

    Raises:
        InputError: nothing there, or the names of several layouts.
    """
    if source.suffix.lower() == ".csv":
        return MANIFEST
    if not source.is_dir():
        raise InputError(f"There is no folder {source}; give the folder of a cohort, or a CSV manifest (.csv).")
    found = [layout for layout in LAYOUTS if layout != "folder" and _fits(source, layout)]
    if len(found) > 1:
        raise InputError(f"{source} looks like {' and '.join(found)}; say which with --layout, or give the folder of one of them.")
    return found[0] if found else "folder"


def cohort_name(source: Path, layout: str) -> str:
    """What a cohort is called in caches and provenance: by its layout where that is one cohort's, else as the source is."""
    return NAMES.get(layout) or source.resolve().name.removesuffix(".csv")


def _fits(source: Path, layout: str) -> bool:
    try:
        return bool(LAYOUTS[layout](source))
    except InputError:
        return False
