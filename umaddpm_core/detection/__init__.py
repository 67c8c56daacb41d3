"""From a scan to findings: `Detector` is the main job."""

from umaddpm_core.detection.detection import NOTICE, Detection
from umaddpm_core.detection.detector import Detector
from umaddpm_core.detection.lesions import Lesion
from umaddpm_core.detection.models import shipped_models
from umaddpm_core.detection.output import check_output_folder, write_detection
from umaddpm_core.detection.overview import draw_overview

__all__ = ["NOTICE", "Detection", "Detector", "Lesion", "check_output_folder", "draw_overview", "shipped_models", "write_detection"]
