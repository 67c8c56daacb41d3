"""Affine registration of a brain to the template in SRI24 space."""

from umaddpm_core.preprocessing.registration.atlas import read_atlas
from umaddpm_core.preprocessing.registration.quality import Quality
from umaddpm_core.preprocessing.registration.registering import Registration, register

__all__ = ["Quality", "Registration", "read_atlas", "register"]
