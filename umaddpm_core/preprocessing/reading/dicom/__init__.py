"""DICOM series: which files belong together, where their slices lie, and what they say of the acquisition."""

from umaddpm_core.preprocessing.reading.dicom.headers import is_dicom
from umaddpm_core.preprocessing.reading.dicom.volume import read_dicom, read_dicom_file

__all__ = ["is_dicom", "read_dicom", "read_dicom_file"]
