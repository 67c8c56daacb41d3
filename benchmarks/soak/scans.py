"""Scans to have examined, made of the sample scans."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.serving.checkout import repository_root

WHOLE_HEAD = repository_root() / "sample-data" / "sample1-tumour-T1.nii.gz"
"""A head at 1 mm."""
_numbers = itertools.count(1)


def unseen_copy(scan: Path, folder: Path) -> Path:
    """The same voxels as another file: another name, another time stamp in the gzip header."""
    number = next(_numbers)
    path = folder / f"{number:04d}-{scan.name}"
    path.write_bytes(gzip.compress(gzip.decompress(scan.read_bytes()), compresslevel=1, mtime=number))
    return path


def small_scan(folder: Path) -> Path:
    """A sample scan at 3 mm, which is examined within seconds."""
    image = sitk.ReadImage(str(repository_root() / "sample-data" / "sample2-stripped-T1.nii.gz"), sitk.sitkFloat32)
    size = [int(n * spacing / 3) for n, spacing in zip(image.GetSize(), image.GetSpacing())]
    small = sitk.Resample(
        image, size, sitk.Transform(), sitk.sitkNearestNeighbor, image.GetOrigin(), [3.0] * 3, image.GetDirection(), 0.0
    )
    path = folder / "small-T1.nii.gz"
    sitk.WriteImage(sitk.Cast(small, sitk.sitkInt16), str(path))
    return path
