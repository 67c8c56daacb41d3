"""A mask as DICOM SEG."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from highdicom.content import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.sr.coding import Code

from umaddpm_core import __version__
from umaddpm_core.detection import Detection
from umaddpm_core.serving.dicom.origin import ALGORITHM, Origin, identity, in_character_set_of, refusing_odd_headers
from umaddpm_core.serving.dicom.source_series import SourceSeries

CATEGORY = Code("49755003", "SCT", "Morphologically Altered Structure")
PROPERTY = Code("4147007", "SCT", "Mass")
REGION = Code("12738006", "SCT", "Brain")

NO_FINDING = "No finding: nothing exceeds the threshold, and a DICOM SEG cannot be empty, so there is none."
"""A SEG has to have a segment with at least one frame (PS3.3 sections C.8.20.2 and C.7.6.16). One of frames that are all
zero would be valid, but archives and viewers list it like a finding, so a scan without one gets this sentence instead."""


def segmentation(detection: Detection, source: SourceSeries) -> Segmentation | None:
    """The mask of a detection as binary SEG with one segment, frame by frame on the source's slices.

    Args:
        detection: of the scan that was read from `source`.
        source: the series that every frame refers to.

    Returns:
        The SEG; None where the mask is empty (`NO_FINDING`).

    Raises:
        InputError: the source has headers that no SEG can refer to.
    """
    origin = Origin.of(detection.report)
    with refusing_odd_headers():
        segment = _segment(SegmentAlgorithmTypeValues.AUTOMATIC, origin.algorithm(detection.report["threshold"]))
        description = f"{ALGORITHM} anomaly, research use only"
        return _written(detection.mask, source, segment, origin, description)


def accepted_segmentation(mask: sitk.Image, source: SourceSeries) -> Segmentation | None:
    """A mask that a person made or corrected as binary SEG; None where it is empty.

    Args:
        mask: on the grid of `source`; any nonzero voxel counts.

    Raises:
        InputError: another grid, or a source that no SEG can refer to.
    """
    with refusing_odd_headers():
        segment = _segment(SegmentAlgorithmTypeValues.MANUAL)
        origin = Origin("reviewed by a person", "none", __version__)
        return _written(mask, source, segment, origin, "Reviewed anomaly, research use only")


def _segment(
    made: SegmentAlgorithmTypeValues, algorithm: AlgorithmIdentificationSequence | None = None
) -> SegmentDescription:
    return SegmentDescription(
        segment_number=1,
        segment_label="Anomaly",
        segmented_property_category=CATEGORY,
        segmented_property_type=PROPERTY,
        algorithm_type=made,
        algorithm_identification=algorithm,
        anatomic_regions=[REGION],
    )


def _written(
    mask: sitk.Image, source: SourceSeries, segment: SegmentDescription, origin: Origin, description: str
) -> Segmentation | None:
    frames = (source.frames(sitk.GetArrayViewFromImage(mask)) != 0).astype(np.uint8)
    if not frames.any():
        return None
    written = Segmentation(
        source_images=source.headers,
        pixel_array=frames,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_description=description,
        content_label="ANOMALY",
        content_description="What could not be repainted as healthy; research use only",
        **identity(source, 1, description, origin.algorithm_version, np.packbits(frames).tobytes()),
        **origin.equipment(),
    )
    in_character_set_of(source, written)
    return written

