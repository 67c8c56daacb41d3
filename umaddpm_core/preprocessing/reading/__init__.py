"""Reading a scan, whatever it was saved as, and refusing what is none."""

from umaddpm_core.preprocessing.reading.acquired import AcquiredScan, same_grid, scan_name
from umaddpm_core.preprocessing.reading.files import READABLE, read_mask
from umaddpm_core.preprocessing.reading.source import read_scan

__all__ = ["READABLE", "AcquiredScan", "read_mask", "read_scan", "same_grid", "scan_name"]
