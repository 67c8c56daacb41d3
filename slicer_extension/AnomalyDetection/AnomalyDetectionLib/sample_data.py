"""The scans of the project for the module Sample Data: average heads with painted tumours, no patient's."""

from __future__ import annotations

from pathlib import Path

from .translation import _

CATEGORY = "Anomaly Detection"
SOURCE = "https://raw.githubusercontent.com/OWNER/SlicerUMADDPM/main/SampleData"
SCANS = {
    "BrainTumorT1": ("sample1-tumour-T1.nii.gz", "d41464573fd634ac682d44d54909ca1661a0e22e5a647aa256de5813c00a7bcb"),
    "StrippedBrainTumorT1": ("sample2-stripped-T1.nii.gz", "c1d7deea74192cfe9826ab6d087b7b59fea7668a76bd2459d7e68930c8a0dfdb"),
    "HealthyBrainT1": ("sample3-healthy-T1.nii.gz", "99626e8ac27cc3551276c7b590173e50a7c48eaf3113d5cdc430a1673ba5255c"),
}
"""File and SHA-256 by the name of the sample."""


def register(icons: Path) -> None:
    """Offer the scans; a file with another digest is refused.

    Args:
        icons: folder of the thumbnail.
    """
    from SampleData import SampleDataLogic

    for name, (file, digest) in SCANS.items():
        SampleDataLogic.registerCustomSampleDataSource(
            category=_(CATEGORY),
            sampleName=name,
            thumbnailFileName=str(icons / "AnomalyDetection.png"),
            uris=f"{SOURCE}/{file}",
            fileNames=file,
            checksums=f"SHA256:{digest}",
            nodeNames=file.removesuffix(".nii.gz"),
        )
