"""pDDPM: one patch of the slice is noised, and predicted from the rest (Behrendt et al., MIDL 2023)."""

from __future__ import annotations

from umaddpm_core.methods.one_step import OneStepDiffusion


class PDDPM(OneStepDiffusion):
    """Patched diffusion: a 2×2 grid of 48×48 patches, one noised in training, all in turn at test.

    Kept: everything of the released experiment. Changed: optimiser, augmentation and weight average are this project's, the
    same for every method; the size of the network in small presets.
    """

    name = "pddpm"
