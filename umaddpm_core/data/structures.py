"""Bringing labelled heads into template space, where they vote for the structure of every voxel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from umaddpm_core.data.labelled_heads import FREESURFER_BRAIN, FREESURFER_CSF, filled_brain
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.heads import upright
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.preprocessing.structures import NAMES
from umaddpm_core.preprocessing.writing import write_image

GREY = {"cerebral white matter": 0.85, "cerebellum": 0.65, "brainstem": 0.8, "cerebral cortex": 0.55}
"""How bright a T1 shows a structure; ventricles are dark, all others in between."""
VENTRICLE, OTHER, CSF = 0.15, 0.68, 0.15


def vote(
    label_maps: Sequence[Path],
    template: sitk.Image,
    template_brain: sitk.Image,
    output: Path,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Register whole-head label maps to the template, and write the structure most of them have at each voxel of its brain.

    Args:
        label_maps: with FreeSurfer's numbers, any grid.
        template, template_brain: of the space.
        output: gets a uint8 image on the template's grid.
        progress: told how many are done.

    Returns:
        How many maps voted; one that cannot be registered does not.

    Raises:
        InputError: none could.
    """
    numbers = sorted(NAMES)
    votes = np.zeros((len(numbers), *template.GetSize()[::-1]), np.uint8)
    used = 0
    for done, path in enumerate(label_maps, 1):
        labels = upright(sitk.ReadImage(str(path)))
        try:
            transform = register(*_painted(labels), template, template_brain).transform
        except InputError:
            continue
        finally:
            if progress:
                progress(done)
        there = sitk.GetArrayFromImage(sitk.Resample(labels, template, transform, sitk.sitkNearestNeighbor, 0.0))
        for index, number in enumerate(numbers):
            votes[index] += there == number
        used += 1
    if not used:
        raise InputError("No label map could be registered to the template, so there are no structures.")
    winner = np.where(votes.any(0), np.array(numbers, np.uint8)[votes.argmax(0)], 0)
    nearest = ndimage.distance_transform_edt(winner == 0, return_distances=False, return_indices=True)
    inside = sitk.GetArrayFromImage(template_brain) > 0
    image = sitk.GetImageFromArray(np.where(inside, winner[tuple(nearest)], 0).astype(np.uint8))
    image.CopyInformation(template)
    write_image(image, output)
    return used


def _painted(labels: sitk.Image) -> tuple[sitk.Image, sitk.Image]:
    """A label map as a T1 would show its brain, and the brain's mask (uint8)."""
    numbers = sitk.GetArrayFromImage(labels)
    tissue = (numbers > 0) & (numbers < FREESURFER_BRAIN) & (numbers != FREESURFER_CSF)
    brain = sitk.Cast(filled_brain(labels, tissue) > 0.5, sitk.sitkUInt8)
    grey = np.full(numbers.shape, CSF, np.float32)
    for number, (_, name) in NAMES.items():
        grey[numbers == number] = VENTRICLE if "ventricle" in name else GREY.get(name, OTHER)
    scan = sitk.GetImageFromArray(ndimage.gaussian_filter(grey, 0.5))
    scan.CopyInformation(labels)
    return scan, brain
