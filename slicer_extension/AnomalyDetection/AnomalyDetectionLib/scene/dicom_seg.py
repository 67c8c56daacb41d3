"""The mask as DICOM Segmentation of the series that the scan was loaded from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..replacing import replacing
from .result import ANOMALY_MAP, MASK, Result
from .segmentation import mask_of
from .volumes import SceneError, ijk_to_ras

MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime",
    "ReferringPhysicianName",
)  # fmt: skip
"""What a SEG has to say and may leave empty; anonymized series often lack it altogether."""
TOLERANCE_MM = 0.1
"""How far a voxel of the mask may be from that of the slice it belongs to."""


def write_dicom_seg(result: Result, sources: Sequence[Path], path: Path) -> Path:
    """Write the mask as it is now.

    Args:
        sources: the files of the scan's series, in any order.

    Raises:
        SceneError: no such files, an empty mask, another grid than the series has, headers that no SEG can refer to, or a Slicer
            without highdicom.
    """
    if not sources:
        raise SceneError("DICOM SEG refers to the scan's own DICOM series, and this scan was not loaded from DICOM; export NIfTI or NRRD.")
    try:
        import pydicom
        from highdicom.seg import Segmentation
    except ImportError as error:
        raise SceneError("This version of Slicer has no highdicom, which writes DICOM SEG; export NIfTI or NRRD.") from error
    grid = result.require(ANOMALY_MAP)
    mask = mask_of(result.require(MASK), grid)
    if not mask.any():
        raise SceneError("The mask is empty, and a DICOM SEG cannot be; nothing was written.")
    # With their voxels: highdicom takes no headers alone.
    images = [_completed(pydicom.dcmread(file), ijk_to_ras(grid)) for file in sources]
    frames = np.stack([mask[index] for index in _slices(images, ijk_to_ras(grid), mask.shape)])
    try:
        written = Segmentation(source_images=images, pixel_array=frames, **_described(result))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SceneError(f"The series has headers that no DICOM SEG can refer to ({error}); export NIfTI or NRRD.") from error
    try:
        with replacing(path) as part:
            written.save_as(part)
    except OSError as error:
        raise SceneError(f"{path.name} cannot be written to {path.parent} ({error.strerror}).") from error
    return path


def _slices(images: Sequence[Any], geometry: np.ndarray, shape: tuple[int, int, int]) -> list[int]:
    """For every image the slice of the mask that lies in its plane, voxel on voxel.

    Raises:
        SceneError: they do not lie so.
    """
    to_ijk, found = np.linalg.inv(geometry), []
    for image in images:
        try:
            corner = np.array([*image.ImagePositionPatient, 1], dtype=float) * (-1, -1, 1, 1)
            columns, rows = np.reshape(np.array(image.ImageOrientationPatient, dtype=float), (2, 3)) * (-1, -1, 1)
            size = (int(image.Rows), int(image.Columns))
        except (AttributeError, TypeError, ValueError) as error:
            raise SceneError("The series has images that do not say where they lie; export NIfTI or NRRD.") from error
        i, j, k = (to_ijk @ corner)[:3]
        off = np.linalg.norm(geometry[:3, :3] @ (i, j, k - round(k)))
        turned = min(_cosine(geometry[:3, 0], columns), _cosine(geometry[:3, 1], rows))
        if off > TOLERANCE_MM or turned < 0.9999 or size != shape[1:] or not 0 <= round(k) < shape[0]:
            raise SceneError("The mask does not lie on the images of the series, such as after a transform; export NIfTI or NRRD.")
        found.append(round(k))
    return found


def _completed(image: Any, geometry: np.ndarray) -> Any:
    """An image with what highdicom takes over from it."""
    for keyword in MAY_BE_EMPTY:
        if keyword not in image:
            setattr(image, keyword, "")
    if not image.get("SliceThickness"):
        image.SliceThickness = round(float(np.linalg.norm(geometry[:3, 2])), 6)
    return image


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _described(result: Result) -> dict[str, Any]:
    """The segment with the codes that it has in the scene and on the server, and who made it."""
    from highdicom import UID
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    version, model = (str(result.report.get(name) or "unknown") for name in ("package_version", "model"))
    segment = SegmentDescription(
        segment_number=1,
        segment_label="Anomaly",
        segmented_property_category=Code("49755003", "SCT", "Morphologically Altered Structure"),
        segmented_property_type=Code("4147007", "SCT", "Mass"),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence("UMA-DDPM", codes.DCM.ArtificialIntelligence, version),
        anatomic_regions=[Code("12738006", "SCT", "Brain")],
    )
    return {
        "segmentation_type": "BINARY",
        "segment_descriptions": [segment],
        "series_instance_uid": UID(),
        "series_number": 900,
        "sop_instance_uid": UID(),
        "instance_number": 1,
        "manufacturer": "UMA-DDPM",
        "manufacturer_model_name": model,
        "software_versions": version,
        "device_serial_number": "none",
        "series_description": "Anomaly, research use only",
        "content_label": "ANOMALY",
        "content_description": "What could not be repainted as healthy; research use only",
    }
