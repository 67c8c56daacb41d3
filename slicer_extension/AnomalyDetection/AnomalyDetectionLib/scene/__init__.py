"""Results in the scene: MRML only, no Qt. Everything takes the scene it works on, and belongs on the main thread."""

from ..views import Layout
from .comparison import RECONSTRUCTIONS, Comparison
from .export import FORMATS, export, write_lesions, write_mask_to_send
from .nodes import SceneError
from .result import Result, add_result, first_scan, results_in
from .table import left_out, set_kept
from .threshold import LiveThreshold
from .volumes import scan_to_send

__all__ = [
    "FORMATS",
    "RECONSTRUCTIONS",
    "Comparison",
    "Layout",
    "LiveThreshold",
    "Result",
    "SceneError",
    "add_result",
    "export",
    "first_scan",
    "left_out",
    "results_in",
    "scan_to_send",
    "set_kept",
    "write_lesions",
    "write_mask_to_send",
]
