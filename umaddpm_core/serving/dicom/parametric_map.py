"""An anomaly map as DICOM Parametric Map."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from highdicom.pm import ParametricMap, RealWorldValueMapping
from pydicom.sr.codedict import codes

from umaddpm_core.detection import Detection
from umaddpm_core.serving.dicom.origin import ALGORITHM, Origin, identity, in_character_set_of, refusing_odd_headers
from umaddpm_core.serving.dicom.source_series import SourceSeries


def parametric_map(detection: Detection, source: SourceSeries) -> ParametricMap:
    """The anomaly map of a detection on the source's slices, as 32-bit floats: to the last bit what was thresholded.

    Args:
        detection: of the scan that was read from `source`.
        source: the series that the map refers to.

    Raises:
        InputError: the source has headers that no map can refer to.
    """
    origin = Origin.of(detection.report)
    with refusing_odd_headers():
        frames = source.frames(sitk.GetArrayViewFromImage(detection.anomaly_map)).astype(np.float32)
        lowest, highest = float(frames.min()), float(frames.max())
        threshold = detection.report["threshold"]
        mapping = RealWorldValueMapping(
            lut_label="ANOMALY",
            lut_explanation=f"Anomaly score ({threshold['score']}); 1 is the intensity window of the scan"[:64],
            unit=codes.UCUM.NoUnits,
            value_range=(lowest, highest),
            slope=1.0,
            intercept=0.0,
        )
        description = f"{ALGORITHM} anomaly map, research use only"
        written = ParametricMap(
            source_images=source.headers,
            pixel_array=frames,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            window_center=(lowest + highest) / 2,
            window_width=max(highest - lowest, 1e-6),
            series_description=description,
            content_label="ANOMALY_MAP",
            content_description="How much could not be repainted as healthy; research use only",
            **identity(source, 2, description, origin.algorithm_version, frames.tobytes()),
            **origin.equipment(),
        )
    in_character_set_of(source, written)
    return written
