"""How scans are prepared; a model is bound to the settings its training scans were prepared with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from umaddpm_core.preprocessing.choices import Coverage, Extraction, RegistrationBackend


class PreprocessingSettings(BaseModel):
    """The steps between a scan and the model's grid.

    Attributes:
        coverage: every slice that holds brain, or the paper's central fifty.
        brain_extraction: `auto` recognises a stripped scan and else uses the bundled network; a mask given with the
            scan comes before both.
        registration: which program aligns the brain to the template.
        bias_correction: whether the coil's shading is removed (N4).
        curvature_flow: whether the scan is denoised as in the ancestors' code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: Coverage = "brain"
    brain_extraction: Extraction = "auto"
    registration: RegistrationBackend = "simpleitk"
    bias_correction: bool = True
    curvature_flow: bool = False
