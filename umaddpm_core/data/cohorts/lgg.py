"""The TCGA low-grade gliomas: T1 scans with a mask of the FLAIR abnormality."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.data.cohorts.scan import Scan, listed

CASE = re.compile(r"^(TCGA_\w+?_\w+?)_\d{8}$")


def lgg(folder: Path) -> list[Scan]:
    """Scans and masks of the folders `TCGA_CS_4943_20000902` and so on, one per person."""
    scans = []
    for case in folder.glob("*/"):
        scan = case / f"{case.name}-T1.nii.gz"
        if (match := CASE.match(case.name)) and scan.exists():
            scans.append(Scan(match[1].replace("_", "-"), "T1", scan, case / f"{case.name}-seg.nii.gz", healthy=False))
    return listed(scans, folder, "low-grade gliomas (TCGA_CS_4943_20000902/TCGA_CS_4943_20000902-T1.nii.gz and so on)")
