"""DDPM as pDDPM's authors compare with it: the whole slice noised with simplex noise, and predicted in one step."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from umaddpm_core.methods.one_step import AncestorUNet, OneStepConfig, OneStepDiffusion


class DDPMUNet(AncestorUNet):
    """The same U-Net, with the time step added to the features."""

    film: bool = False


class DDPMConfig(OneStepConfig):
    """The settings of pDDPM's code for this baseline."""

    network: DDPMUNet = Field(default_factory=DDPMUNet)
    grid: Literal[1] = 1


class DDPM(OneStepDiffusion):
    """Noise over the whole slice, no context.

    Paper: the baseline of Behrendt et al. (pDDPM, MIDL 2023), after Ho et al. 2020 and Wyatt et al. 2022. Kept: x0-prediction,
    L1, cosine schedule, simplex noise, one step from t = 499. Changed: optimiser,
    augmentation and weight average are this project's; the size of the network in small presets.
    """

    name = "ddpm"
    Config = DDPMConfig
