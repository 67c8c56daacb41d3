"""IXI: healthy people, T1 and T2 (brain-development.org)."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.data.cohorts.scan import Scan, listed

NAME = re.compile(r"^(IXI\d{3})-(\w+)-(\d{4})-(T1|T2)\.nii(\.gz)?$")
UNUSABLE = {("IXI175", "T2")}
"""Scans with strong motion artefacts: neither trained on nor measured with."""


def ixi(folder: Path) -> list[Scan]:
    """The scans of an IXI folder with the original file names, sorted by name.

    Sub-folders are `IXI-T1` and `IXI-T2`, as the official archives are unpacked, or `T1` and `T2`.
    """
    scans = []
    for path in [*folder.glob("T[12]/*.nii*"), *folder.glob("IXI-T[12]/*.nii*")]:
        match = NAME.match(path.name)
        if match and (match[1], match[4]) not in UNUSABLE:
            scans.append(Scan(match[1], match[4], path))
    return listed(scans, folder, "IXI scans (IXI-T1/IXI013-HH-1212-T1.nii.gz or T1/… and so on)")


def ixi_brain_labels(folder: Path) -> dict[str, Path]:
    """Region label files by subject, for the people of an IXI folder who have them."""
    return {path.name.split("-")[0]: path for path in sorted(folder.glob("labels/*-DLMUSE.nii.gz"))}
