"""Lesions painted into healthy scans: random ones to calibrate with, and ones like known diseases to test with."""

from umaddpm_core.data.synthetic_lesions.pathology import PATHOLOGIES, paint_pathology
from umaddpm_core.data.synthetic_lesions.random_lesion import Lesion, paint_lesion

__all__ = ["PATHOLOGIES", "Lesion", "paint_lesion", "paint_pathology"]
