"""The image that scans are registered to: the shipped population template, or an atlas of the user's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction import binarised, stripped_mask
from umaddpm_core.preprocessing.brain_extraction.masks import as_mask
from umaddpm_core.preprocessing.reading import read_scan, same_grid
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN


@lru_cache(maxsize=4)
def read_atlas(atlas: Path | None = None, brain: Path | None = None) -> tuple[sitk.Image, sitk.Image]:
    """The template (float32) and its brain (uint8), on one grid.

    Args:
        atlas: a brain without skull, or with it and a mask; by default the shipped template. A model knows the frame it
            was trained in, so for a shipped one the atlas has to lie in SRI24 space.
        brain: mask of the atlas, labels above 0 or probabilities from one half; by default its non-zero voxels.

    Raises:
        InputError: unreadable, with a skull and no mask, or a mask that is empty, on another grid, or of no atlas.
    """
    if atlas is None:
        if brain is not None:
            raise InputError(f"{brain.name} is the brain mask of no atlas; name the atlas too.")
        atlas, brain = TEMPLATE, TEMPLATE_BRAIN
    template = read_scan(atlas).image
    if brain is None:
        if stripped_mask(template) is None:
            raise InputError(f"{atlas.name} seems to show a skull; give a stripped atlas, or the mask of its brain.")
        return template, template != 0
    mask = read_scan(brain).image
    if not same_grid(mask, template):
        raise InputError(f"The brain mask {brain.name} does not lie on the grid of {atlas.name}: size, spacing, origin or axes differ.")
    return template, as_mask(binarised(mask), template)
