"""Which voxels of a scan are brain: given by the user, already stripped, or found by a program."""

from __future__ import annotations

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction.bundled import bundled_mask
from umaddpm_core.preprocessing.brain_extraction.hd_bet import hd_bet_mask
from umaddpm_core.preprocessing.brain_extraction.masks import as_mask, binarised, mask_ml
from umaddpm_core.preprocessing.brain_extraction.stripped import stripped_mask
from umaddpm_core.preprocessing.choices import Extraction

__all__ = ["PROGRAMS", "binarised", "brain_mask", "bundled_mask", "mask_ml", "stripped_mask"]

PLAUSIBLE_BRAIN_ML = (600.0, 2300.0)
PROGRAMS = {"bundled": bundled_mask, "hd-bet": hd_bet_mask}


def brain_mask(image: sitk.Image, given: sitk.Image | None = None, extraction: Extraction = "auto") -> tuple[sitk.Image, str]:
    """The brain of a scan, and how it was found: `given`, `stripped`, `bundled` or `hd-bet`.

    Args:
        image: the scan, any grid.
        given: the user's own mask on the scan's grid (labels above 0, or a probability of one half and more).
        extraction: `auto` recognises a stripped scan and else uses the bundled network.

    Returns:
        A uint8 mask on the scan's grid, and the name of the way.

    Raises:
        InputError: the volume found is not that of a brain, or the program is not installed.
    """
    if given is not None:
        mask, way = as_mask(binarised(given), image), "given"
    elif extraction == "auto" and (mask := stripped_mask(image)) is not None:
        way = "stripped"
    else:
        way = "bundled" if extraction == "auto" else extraction
        mask = PROGRAMS[way](image)
    volume = mask_ml(mask)
    low, high = PLAUSIBLE_BRAIN_ML
    if not low <= volume <= high:
        beside = f"{volume:.0f} ml (a brain: {low:.0f}–{high:.0f} ml)"
        if way == "given":
            raise InputError(f"The given brain mask measures {beside}; give the mask of a whole brain, or none.")
        raise InputError(
            f"No brain was found in this scan: what looks like one measures {beside}; give an MR scan of a head, or a brain mask."
        )
    return mask, way
