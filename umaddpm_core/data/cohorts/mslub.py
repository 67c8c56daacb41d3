"""MSLUB: multiple sclerosis, 30 people with a consensus of experts (Lesjak et al. 2018)."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.data.cohorts.scan import Scan, listed

CASE = re.compile(r"^patient\d{2}$")
MODALITIES = {"T1W": "T1", "T2W": "T2", "T1WKS": "T1c", "FLAIR": "FLAIR"}
LESIONS = ("consensus_gt", "seg")
BRAIN = "brainmask"


def mslub(folder: Path) -> list[Scan]:
    """Scans, lesion masks and brain masks of the folders `patient01` … anywhere below `folder`.

    Files are `T1W.nii.gz`, `T2W.nii.gz`, `consensus_gt.nii.gz` (or `seg`), `brainmask.nii.gz`, with or without
    `patient01_` in front. The masks lie on the grid of the co-registered scans, not of the raw ones.
    """
    scans = []
    for case in [folder, *folder.rglob("*/")]:
        if not CASE.match(case.name):
            continue
        files = {path.name.removeprefix(f"{case.name}_").split(".")[0]: path for path in case.glob("*.nii*")}
        lesions = next((files[name] for name in LESIONS if name in files), None)
        for suffix, modality in MODALITIES.items():
            if suffix in files:
                scans.append(Scan(case.name, modality, files[suffix], lesions, brain=files.get(BRAIN), healthy=False))
    return listed(scans, folder, "MSLUB cases (patient01/patient01_T2W.nii.gz and so on)")
