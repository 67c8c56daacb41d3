"""mDDPM: pDDPM with rectangles of the training slices replaced by frequency-masked copies (Iqbal et al., 2023)."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.masking import RECTANGLES, FrequencyMask, dual_mask
from umaddpm_core.methods.one_step import OneStepConfig, OneStepDiffusion


class MDDPMConfig(OneStepConfig):
    """Settings of pDDPM, and of the masks."""

    frequency_mask: FrequencyMask = Field("random", description="what fills the rectangles: low or high frequencies by a coin")
    rectangles: int = Field(RECTANGLES, ge=0, description="at most so many a slice")


class MDDPM(OneStepDiffusion):
    """Masked diffusion with frequency patch masking and CutMix, the variant of the released code and of the best results.

    Kept: masks, their sizes, and that nothing is masked at validation and test. Changed: a slice without brain is no crash;
    optimiser, augmentation and weight average are this project's; the size of the network in small presets.
    """

    name = "mddpm"
    Config = MDDPMConfig

    def corrupted(self, x: Tensor, brain: Tensor, draws: Draws) -> Tensor:
        return dual_mask(x, brain, draws, self.config.frequency_mask, self.config.rectangles) if self.config.rectangles else x
