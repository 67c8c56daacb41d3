"""The phases of a detection in words, in the order in which `Detector` goes through them."""

from umaddpm_core.preprocessing.pipeline import PHASES as PREPARING

REPAINTING = "repainting it as healthy"
RESTORING = "bringing the findings back to the scan"

PHASES = (*PREPARING, REPAINTING, RESTORING)
