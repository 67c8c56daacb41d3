"""BraTS: gliomas, stripped and in SRI24 space, as the challenges of 2021 and 2023 name them."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.data.cohorts.scan import Scan, listed

CASE = re.compile(r"^(BraTS2021_\d{5}|BraTS-[A-Z]+-\d{5}-\d{3}|TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})$")
MODALITIES = {"t1": "T1", "t1n": "T1", "t2": "T2", "t2w": "T2", "t1ce": "T1c", "t1c": "T1c", "flair": "FLAIR", "t2f": "FLAIR"}
"""The challenges' suffixes, in this program's words."""

COUNTED_IN_LGG = {("TCGA-DU-7294", "T1")}
"""The person who is in both cohorts counts once for each sequence."""


def brats(folder: Path) -> list[Scan]:
    """Scans and tumour masks of the case folders anywhere below `folder`.

    `BraTS2021_00000/BraTS2021_00000_t1.nii.gz … _seg.nii.gz`, `BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz …
    -seg.nii.gz`, whose last number is the time point, and TCGA names with the suffixes of 2023.
    """
    scans = []
    for case in [folder, *folder.rglob("*/")]:
        if not CASE.match(case.name):
            continue
        subject, session = _person(case.name)
        files = {path.name.removeprefix(case.name)[1:].split(".")[0]: path for path in case.glob(f"{case.name}[_-]*.nii*")}
        for suffix, modality in MODALITIES.items():
            if suffix in files and (subject, modality) not in COUNTED_IN_LGG:
                scans.append(Scan(subject, modality, files[suffix], files.get("seg"), session, healthy=False))
    return listed(scans, folder, "BraTS cases (BraTS2021_00000/BraTS2021_00000_t1.nii.gz and so on)")


def _person(case: str) -> tuple[str, str | None]:
    """Subject and time point: `BraTS-GLI-00001-000` is the first examination of BraTS-GLI-00001."""
    if case.startswith("BraTS-"):
        subject, _, session = case.rpartition("-")
        return subject, session
    return case, None
