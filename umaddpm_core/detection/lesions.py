"""The findings of a mask, one by one."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from umaddpm_core.detection.anomaly_map import NEIGHBOURS
from umaddpm_core.preprocessing.structures import side_and_structure


@dataclass(frozen=True)
class Lesion:
    """One connected finding: volume in ml, centre and extent (of its box, along the scan's axes) in millimetres, the centre in
    RAS, largest and mean value of the anomaly map in it, and where it lies (see `side_and_structure`)."""

    label: int
    volume_ml: float
    centroid_ras: tuple[float, float, float]
    extent_mm: tuple[float, float, float]
    peak: float
    mean: float
    side: str
    structure: str

    @property
    def place(self) -> str:
        """Side and structure in words; empty where neither is known."""
        return " ".join(word for word in (self.side, self.structure) if word not in ("", "both", "middle"))

    def as_dict(self) -> dict:
        return {**asdict(self), "place": self.place}


def find_lesions(mask: sitk.Image, score_map: sitk.Image, structures: sitk.Image) -> list[Lesion]:
    """The connected findings of a mask (26 neighbours), largest first, measured on the map of the same grid.

    Args:
        structures: numbers of `NAMES` on that grid.
    """
    numbers = sitk.GetArrayViewFromImage(structures)
    voxels = sitk.GetArrayViewFromImage(mask) > 0
    values = sitk.GetArrayViewFromImage(score_map)
    components, count = ndimage.label(voxels, NEIGHBOURS)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    voxel_ml = float(np.prod(mask.GetSpacing())) / 1000
    boxes = ndimage.find_objects(components)
    lesions = []
    for number, component in enumerate(np.argsort(-sizes, kind="stable") + 1, 1):
        box = boxes[component - 1]
        where = components[box] == component
        corner = [side.start for side in box]
        centre = [float(c + first) for c, first in zip(ndimage.center_of_mass(where), corner)][::-1]
        extent = [(side.stop - side.start) * step for side, step in zip(box[::-1], mask.GetSpacing())]
        side, structure = side_and_structure(numbers[box][where])
        left, posterior, superior = mask.TransformContinuousIndexToPhysicalPoint(centre)
        lesions.append(
            Lesion(
                label=number,
                volume_ml=round(float(sizes[component - 1]) * voxel_ml, 3),
                centroid_ras=(round(-left, 1), round(-posterior, 1), round(superior, 1)),
                extent_mm=tuple(round(length, 1) for length in extent),
                peak=round(float(values[box][where].max()), 4),
                mean=round(float(values[box][where].mean()), 4),
                side=side,
                structure=structure,
            )
        )
    return lesions
