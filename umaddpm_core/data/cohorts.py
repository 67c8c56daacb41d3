"""Where the scans of a cohort lie, and who is who."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.errors import InputError

DATA_VARIABLE = "UMADDPM_DATA"
MODALITIES = ("T1", "T2")

IXI_NAME = re.compile(r"^(IXI\d{3})-(\w+)-(\d{4})-(T1|T2)\.nii(\.gz)?$")
IXI_UNUSABLE = {("IXI175", "T2")}
"""Scans with strong motion artefacts: neither trained on nor measured with."""

LGG_NAME = re.compile(r"^(TCGA_\w+?_\w+?)_\d{8}$")


@dataclass(frozen=True)
class Scan:
    """One scan of one person."""

    subject: str
    modality: str
    path: Path
    lesions: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.subject}-{self.modality}"


def data_root() -> Path:
    """The folder with the real scans: environment variable `UMADDPM_DATA`, else `../shared/data` beside the checkout.

    Raises:
        InputError: it is not there.
    """
    root = Path(os.environ.get(DATA_VARIABLE) or Path(__file__).parents[3] / "shared" / "data")
    if not root.is_dir():
        raise InputError(f"There is no data folder {root}; set {DATA_VARIABLE} to the folder that holds the scans.")
    return root


def ixi(folder: Path) -> list[Scan]:
    """The scans of an IXI folder with sub-folders T1 and T2 and the original file names, sorted by name."""
    scans = []
    for path in sorted(folder.glob("T[12]/*.nii*")):
        match = IXI_NAME.match(path.name)
        if match and (match[1], match[4]) not in IXI_UNUSABLE:
            scans.append(Scan(subject=match[1], modality=match[4], path=path))
    if not scans:
        raise InputError(f"{folder} holds no IXI scans (T1/IXI013-HH-1212-T1.nii.gz and so on).")
    return scans


def ixi_brain_labels(folder: Path) -> dict[str, Path]:
    """Region label files by subject, for the people of an IXI folder who have them."""
    return {path.name.split("-")[0]: path for path in sorted(folder.glob("labels/*-DLMUSE.nii.gz"))}


def lgg(folder: Path) -> list[Scan]:
    """The TCGA low-grade gliomas: T1 scans with their lesion masks, one per person."""
    scans = []
    for case in sorted(path for path in folder.iterdir() if LGG_NAME.match(path.name)):
        subject = LGG_NAME.match(case.name)[1].replace("_", "-")
        scans.append(Scan(subject, "T1", case / f"{case.name}-T1.nii.gz", case / f"{case.name}-seg.nii.gz"))
    return scans


def sequences_by_subject(scans: list[Scan]) -> dict[str, set[str]]:
    """The modalities each person has."""
    sequences: dict[str, set[str]] = {}
    for scan in scans:
        sequences.setdefault(scan.subject, set()).add(scan.modality)
    return sequences
