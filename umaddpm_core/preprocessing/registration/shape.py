"""Affine registration of two brains by their shapes alone: blind to contrast, quick, and from far away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

RADIUS_MM = 70.0
"""Typical distance from the brain's centre: makes matrix and translation alike in size."""
LEAST_SEEN = 0.5
"""Share of the template's points that have to lie in the scan's field of view."""
ITERATIONS = 30
ENOUGH = 1e-3
"""A relative gain smaller than this ends the search."""


@dataclass(frozen=True)
class SoftShape:
    """A brain with a blurred edge: 1 inside, 0 outside.

    Attributes:
        values: float32 [z, y, x]; beyond them nothing is known.
        to_index: 3 × 4, from physical points (mm) to indices x, y, z.
    """

    values: np.ndarray
    to_index: np.ndarray

    @classmethod
    def of(cls, inside: sitk.Image, blur_mm: float) -> SoftShape:
        """The blurred shape of a mask; at the border of the field of view it goes on as it is."""
        spacing = np.array(inside.GetSpacing())
        voxels = sitk.GetArrayFromImage(inside).astype(np.float32)
        values = ndimage.gaussian_filter(voxels, blur_mm / spacing[::-1], mode="nearest", truncate=3)
        to_index = np.linalg.inv(np.array(inside.GetDirection()).reshape(3, 3) * spacing)
        return cls(values, np.column_stack([to_index, -to_index @ inside.GetOrigin()]))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At physical points [n, 3]: the values, their gradients (per mm) [n, 3], and which lie in the field of view."""
        index = points @ self.to_index[:, :3].T + self.to_index[:, 3]
        seen = np.all((index >= -0.5) & (index <= np.array(self.values.shape[::-1]) - 0.5), axis=1)

        def value(step: np.ndarray) -> np.ndarray:
            return ndimage.map_coordinates(self.values, (index + step)[:, ::-1].T, order=1, mode="nearest")

        slopes = np.stack([value(step) - value(-step) for step in 0.5 * np.eye(3)], axis=1)
        return value(np.zeros(3)), slopes @ self.to_index[:, :3], seen


def fit_shape(
    points: np.ndarray, template: np.ndarray, scan: SoftShape, start: sitk.AffineTransform
) -> tuple[sitk.AffineTransform, float]:
    """The affine map near `start` that brings one shape on the other, by Levenberg and Marquardt's method.

    Args:
        points: of the template, [n, 3] (mm); those that fall out of the scan's field of view do not count.
        template: values of the template's soft shape there, [n].

    Returns:
        The map of the template's points to the scan's, and the mean squared difference of the shapes; infinite where
        hardly any point falls into the field of view.
    """
    centre = np.array(start.GetCenter())
    design = np.column_stack([(points - centre) / RADIUS_MM, np.ones(len(points))])

    def linearised(parameters: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        found, slopes, seen = scan.at(design @ parameters.T)
        if seen.mean() < LEAST_SEEN:
            return np.inf, np.eye(12), np.zeros(12)
        difference = (found - template)[seen]
        jacobian = (slopes[seen, :, None] * design[seen, None, :]).reshape(-1, 12)
        return float(np.mean(difference**2)), jacobian.T @ jacobian, jacobian.T @ difference

    matrix = np.array(start.GetMatrix()).reshape(3, 3)
    parameters = np.column_stack([matrix * RADIUS_MM, centre + start.GetTranslation()])
    error, normal, slope = linearised(parameters)
    damping = 1e-2
    for _ in range(ITERATIONS):
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)) + 1e-9 * np.eye(12), slope)
        trial = parameters - step.reshape(3, 4)
        trial_error, trial_normal, trial_slope = linearised(trial)
        if not trial_error < error:
            damping *= 10
            continue
        gain = 1 - trial_error / error
        parameters, error, normal, slope, damping = trial, trial_error, trial_normal, trial_slope, damping / 5
        if gain < ENOUGH:
            break
    fitted = sitk.AffineTransform(start)
    fitted.SetMatrix((parameters[:, :3] / RADIUS_MM).ravel().tolist())
    fitted.SetTranslation((parameters[:, 3] - centre).tolist())
    return fitted, error
