"""Heads with a known brain, for training the brain extractor: labelled IXI scans and whole-head label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from scipy import ndimage
from torch import Tensor

from umaddpm_core.networks.brain_extractor import BrainExtractor
from umaddpm_core.preprocessing.brain_extraction import bundled_mask
from umaddpm_core.preprocessing.heads import coarse, coarse_grid, unit_intensity, upright

CLOSING_MM = 6.0
FREESURFER_BRAIN = 100
"""Label maps: FreeSurfer structures are numbered below this, skull, skin and the like above."""
FREESURFER_CSF = 24


def filled_brain(labels: sitk.Image, brain: np.ndarray) -> sitk.Image:
    """A labelled brain closed by 6 mm and with its holes filled, so that sulci belong to it: float 0/1 on the grid of
    `labels`. `brain` is boolean [z, y, x]."""
    steps = max(int(round(CLOSING_MM / min(labels.GetSpacing()))), 1)
    padded = np.pad(brain, steps)
    ball = ndimage.distance_transform_edt(np.pad(np.zeros((1, 1, 1)), steps, constant_values=1)) <= steps
    closed = ndimage.binary_closing(padded, ball)[(slice(steps, -steps),) * 3]
    filled = sitk.GetImageFromArray(ndimage.binary_fill_holes(closed).astype(np.float32))
    filled.CopyInformation(labels)
    return filled


def labelled_scan(scan: Path, labels: Path) -> tuple[Tensor, Tensor]:
    """A scan and the brain of its region labels at 2 mm: two float tensors [1, D, H, W], both 0–1."""
    regions = sitk.ReadImage(str(labels))
    return head_and_brain(_read(scan), filled_brain(regions, sitk.GetArrayFromImage(regions) > 0))


def other_contrast(scan: Path, labelled: Path, network: BrainExtractor) -> tuple[Tensor, Tensor]:
    """A scan and the brain that `network` finds in another scan of the same head on the same grid, as `labelled_scan`."""
    return head_and_brain(_read(scan), sitk.Cast(bundled_mask(_read(labelled), network), sitk.sitkFloat32))


def head_and_brain(head: sitk.Image, brain: sitk.Image) -> tuple[Tensor, Tensor]:
    """A head and its brain (float, 0–1, any grid) at 2 mm: two float tensors [1, D, H, W], both 0–1."""
    head = upright(head)
    grid = coarse_grid(head)
    return torch.from_numpy(unit_intensity(coarse(head, grid)))[None], torch.from_numpy(coarse(brain, grid))[None].clamp(0, 1)


def labelled_map(path: Path) -> tuple[Tensor, Tensor]:
    """A whole-head label map at 2 mm: integer tissue classes and the brain, [1, D, H, W] each."""
    regions = upright(sitk.ReadImage(str(path)))
    voxels = sitk.GetArrayFromImage(regions)
    grid = coarse_grid(regions)
    classes = sitk.Resample(regions, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    tissue = (voxels > 0) & (voxels < FREESURFER_BRAIN) & (voxels != FREESURFER_CSF)
    brain = coarse(filled_brain(regions, tissue), grid)
    return torch.from_numpy(sitk.GetArrayFromImage(classes).astype(np.int64))[None], torch.from_numpy(brain)[None].clamp(0, 1)


def synthetic_contrast(classes: Tensor, generator: torch.Generator) -> Tensor:
    """A head of random contrast painted from a label map: float [1, D, H, W] in 0–1.

    Every tissue class gets a mean and a spread of its own; paired structures of the two sides share theirs only by
    chance, background stays dark.
    """
    count = int(classes.max()) + 1
    mean = torch.rand(count, generator=generator)
    spread = 0.02 + 0.08 * torch.rand(count, generator=generator)
    mean[0] = 0.02 * torch.rand((), generator=generator)
    spread[0] = 0.01
    noise = torch.randn(classes.shape, generator=generator)
    return (mean[classes] + spread[classes] * noise).clamp(0, 1)


def _read(path: Path) -> sitk.Image:
    return sitk.ReadImage(str(path), sitk.sitkFloat32)
