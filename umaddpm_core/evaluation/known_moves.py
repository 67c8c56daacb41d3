"""Scans that were turned, shifted, stretched or cut in a known way, to measure what registration makes of them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from umaddpm_core.preprocessing.registration.geometry import affine, matrix_of, rotation


def random_move(
    image: sitk.Image,
    rng: np.random.Generator,
    *,
    degrees: float = 30.0,
    shift_mm: float = 60.0,
    scales: tuple[float, float] = (0.85, 1.15),
) -> sitk.AffineTransform:
    """A rotation about a random axis, a shift, and a scale along each axis, all uniform up to these bounds.

    Args:
        image: turned about its centre.
    """
    axis, way = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 3)))
    matrix = rotation(axis, rng.uniform(0, degrees)) @ np.diag(rng.uniform(*scales, size=3))
    centre = np.array(image.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in image.GetSize()]))
    return affine(matrix, centre, centre + way * rng.uniform(0, shift_mm))


def moved_in_header(image: sitk.Image, move: sitk.AffineTransform) -> sitk.Image:
    """The same voxels elsewhere: only spacing, origin and direction change; needs stretching along the voxel axes only."""
    axes = matrix_of(move) @ np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    spacing = np.linalg.norm(axes, axis=0)
    moved = sitk.Image(image)
    moved.SetSpacing(spacing.tolist())
    moved.SetDirection((axes / spacing).ravel().tolist())
    moved.SetOrigin(move.TransformPoint(image.GetOrigin()))
    return moved


def moved_physically(
    image: sitk.Image, move: sitk.AffineTransform, spacing: float, interpolator: int = sitk.sitkBSpline
) -> sitk.Image:
    """The moved image resampled on an upright grid of this spacing (mm) that holds all of it; 0 where nothing is known."""
    corners = [
        move.TransformPoint(image.TransformContinuousIndexToPhysicalPoint([bit * side - 0.5 for bit, side in zip(bits, image.GetSize())]))
        for bits in np.ndindex(2, 2, 2)
    ]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    grid = sitk.Image(np.ceil((high - low) / spacing).astype(int).tolist(), sitk.sitkUInt8)
    grid.SetSpacing([spacing] * 3)
    grid.SetOrigin((low + spacing / 2).tolist())
    return sitk.Resample(image, grid, move.GetInverse(), interpolator, 0.0, image.GetPixelID())


def cut(image: sitk.Image, brain: sitk.Image, axis: int, share: float) -> tuple[sitk.Image, sitk.Image]:
    """Image and mask, their axes made upright, without the first (negative: the last) `share` of the brain's extent.

    Args:
        axis: 0, 1, 2 from right to left, front to back, feet to head.
    """
    image, brain = sitk.DICOMOrient(image, "LPS"), sitk.DICOMOrient(brain, "LPS")
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(brain)
    box, size, first = shape.GetBoundingBox(1), list(image.GetSize()), [0, 0, 0]
    border = box[axis] + round(box[axis + 3] * (share if share > 0 else 1 + share))
    if share > 0:
        first[axis], size[axis] = border, size[axis] - border
    else:
        size[axis] = border
    return sitk.RegionOfInterest(image, size, first), sitk.RegionOfInterest(brain, size, first)


def mean_displacement(
    first: sitk.AffineTransform, second: sitk.AffineTransform, template_brain: sitk.Image, move: sitk.AffineTransform | None = None
) -> float:
    """Mean distance (mm), over the template's brain, of move(first(point)) from second(point)."""
    index = np.argwhere(sitk.GetArrayViewFromImage(template_brain) > 0)[::50, ::-1]
    axes = np.array(template_brain.GetDirection()).reshape(3, 3) * template_brain.GetSpacing()
    points = index @ axes.T + template_brain.GetOrigin()
    there = _mapped(first, points)
    return float(np.linalg.norm((there if move is None else _mapped(move, there)) - _mapped(second, points), axis=1).mean())


def _mapped(transform: sitk.AffineTransform, points: np.ndarray) -> np.ndarray:
    centre = np.array(transform.GetCenter())
    return (points - centre) @ matrix_of(transform).T + centre + transform.GetTranslation()
