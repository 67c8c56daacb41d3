"""The project's own network: any contrast, with or without a tumour."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import SimpleITK as sitk
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.interruption import checkpoint
from umaddpm_core.networks.brain_extractor import BOX, BrainExtractor
from umaddpm_core.preprocessing.brain_extraction.masks import as_mask, largest_filled
from umaddpm_core.preprocessing.heads import coarse, coarse_grid, unit_intensity, upright
from umaddpm_core.resources import BRAIN_EXTRACTOR

Logits = Callable[[torch.Tensor], torch.Tensor]


def bundled_mask(image: sitk.Image, network: BrainExtractor | None = None) -> sitk.Image:
    """The brain of a scan with skull: uint8 on the scan's grid; empty where there is none.

    Args:
        image: any grid and contrast; its header says which way is up.
        network: by default the shipped one.

    The network first locates the brain in the whole head, then once more in the box around it, which is a view it was
    trained on. In the box around that it draws the border: in the head and in its mirror image, one voxel further on, so
    that its blocks of two voxels lie otherwise; the mean of the two is cut at one half.
    """
    scan = upright(image)
    grid = coarse_grid(scan)
    head = unit_intensity(coarse(scan, grid))
    network = network or _shipped()
    centre = _centre(_in_box(network.located, head, _centre(_answer(network.located, head))))
    probability = (_in_box(network, head, centre) + _in_box(network, head, centre + 1, mirrored=True)) / 2
    on_grid = sitk.GetImageFromArray(probability)
    on_grid.CopyInformation(grid)
    on_scan = sitk.Resample(on_grid, image, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    inside = sitk.GetArrayViewFromImage(on_scan) > 0.5
    checkpoint()
    return as_mask(largest_filled(inside) if inside.any() else np.zeros_like(inside), image)


def _answer(logits: Logits, head: np.ndarray) -> np.ndarray:
    checkpoint()
    voxels = torch.from_numpy(np.ascontiguousarray(head))[None, None]
    with torch.inference_mode():
        return torch.sigmoid(logits(voxels))[0, 0].numpy()


def _in_box(logits: Logits, head: np.ndarray, centre: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """Probability in a box of the training's size around `centre`, 0 outside it; all [z, y, x] in voxels."""
    sides = slice(None, None, -1) if mirrored else slice(None)
    padding = [(side, side) for side in BOX]
    first = np.rint(centre + np.array(BOX) / 2).astype(int)
    box = tuple(slice(start, start + side) for start, side in zip(first, BOX))
    wide = np.pad(head, padding)
    answer = np.zeros_like(wide)
    answer[box] = _answer(logits, wide[box][..., sides])[..., sides]
    return answer[tuple(slice(side, -side) for side in BOX)]


def _centre(probability: np.ndarray) -> np.ndarray:
    """Middle of the box around the largest region, its outermost 2 % of voxels left out; of everything where there is none."""
    inside = np.argwhere(largest_filled(probability > 0.5))
    if not len(inside):
        return np.array(probability.shape) / 2
    return np.quantile(inside, (0.02, 0.98), axis=0).mean(0)


@lru_cache(maxsize=1)
def _shipped() -> BrainExtractor:
    artefact = Artefact.load(BRAIN_EXTRACTOR)
    network = BrainExtractor(**artefact.config)
    network.load_state_dict(artefact.weights)
    return network.eval()
