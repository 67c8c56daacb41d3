"""Where the registration starts: the header's orientation and turns around it, judged by the shape of the brain."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from umaddpm_core.preprocessing.registration.evidence import Evidence, inside
from umaddpm_core.preprocessing.registration.geometry import affine, nearest_turn, rotation, turn_degrees
from umaddpm_core.preprocessing.registration.shape import SoftShape, fit_shape

TURN_DEGREES = 25.0
LARGEST_TURN_DEGREES = 40.0
BLURS_MM = 10.0, 5.0
POINTS = 20_000
"""About so many points of the template are compared."""


def candidates(brain: sitk.Image, template_brain: sitk.Image) -> list[sitk.AffineTransform]:
    """Maps of the template's brain on the scan's by centre and volume; the first keeps the header's orientation.

    The others are turned: by 25° to either side about each axis, and as the principal axes of the two brains say
    where that is no more than 40°. None mirrors.

    Args:
        brain, template_brain: uint8 masks, not empty, on any grids.
    """
    centre, volume, axes = _moments(brain)
    template_centre, template_volume, template_axes = _moments(template_brain)
    turns = [np.eye(3), *(rotation(axis, sign * TURN_DEGREES) for axis in np.eye(3) for sign in (1, -1))]
    principal = nearest_turn(template_axes, axes)
    if turn_degrees(principal) <= LARGEST_TURN_DEGREES:
        turns.append(principal)
    scale = (volume / template_volume) ** (1 / 3)
    return [affine(scale * turn, template_centre, centre) for turn in turns]


def best_starts(evidence: Evidence, starts: list[sitk.AffineTransform]) -> list[sitk.AffineTransform]:
    """The best fit of the shapes from any start, and the first start as it is, for brains that were cut out badly."""
    points = _points(evidence.region)
    template, scan = inside(evidence.template), inside(evidence.scan)
    coarse, fine = ((SoftShape.of(template, blur).at(points)[0], SoftShape.of(scan, blur)) for blur in BLURS_MM)
    best, _ = min((fit_shape(points[::4], coarse[0][::4], coarse[1], start) for start in starts), key=lambda fit: fit[1])
    return [fit_shape(points, *fine, best)[0], starts[0]]


def _points(region: sitk.Image) -> np.ndarray:
    """Physical points spread evenly over a mask, [n, 3]."""
    index = np.argwhere(sitk.GetArrayViewFromImage(region) > 0)[:, ::-1]
    index = index[np.random.default_rng(0).permutation(len(index))[:POINTS]]
    axes = np.array(region.GetDirection()).reshape(3, 3) * region.GetSpacing()
    return index @ axes.T + region.GetOrigin()


def _moments(mask: sitk.Image) -> tuple[np.ndarray, float, np.ndarray]:
    """Centre (mm), volume (mm³) and principal axes (columns, by length) of a mask."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    return np.array(shape.GetCentroid(1)), shape.GetPhysicalSize(1), np.array(shape.GetPrincipalAxes(1)).reshape(3, 3).T
