"""Rotations and affine maps."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def rotation(axis: np.ndarray, degrees: float) -> np.ndarray:
    """The 3 × 3 matrix that turns by `degrees` about the unit vector `axis` (Rodrigues' formula)."""
    angle = np.deg2rad(degrees)
    cross = np.cross(np.eye(3), axis)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def turn_degrees(matrix: np.ndarray) -> float:
    """Angle, 0–180, of the rotation nearest to a 3 × 3 matrix with positive determinant."""
    left, _, right = np.linalg.svd(matrix)
    return float(np.rad2deg(np.arccos(np.clip((np.trace(left @ right) - 1) / 2, -1, 1))))


def nearest_turn(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The smallest of the rotations that bring the columns of `source` on those of `target`, up to their signs.

    Args:
        source, target: 3 × 3, orthonormal columns; a principal axis has no sign.
    """
    signs = (np.diag([x, y, z]) for x in (1, -1) for y in (1, -1) for z in (1, -1))
    turns = [target @ sign @ source.T for sign in signs]
    return max((turn for turn in turns if np.linalg.det(turn) > 0), key=np.trace)


def affine(matrix: np.ndarray, centre: np.ndarray, image_of_centre: np.ndarray) -> sitk.AffineTransform:
    """The map x → matrix · (x − centre) + image_of_centre, with that centre."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(np.asarray(centre, dtype=float).tolist())
    transform.SetTranslation(np.subtract(image_of_centre, centre, dtype=float).tolist())
    transform.SetMatrix(np.asarray(matrix, dtype=float).ravel().tolist())
    return transform


def matrix_of(transform: sitk.AffineTransform) -> np.ndarray:
    """The 3 × 3 matrix of an affine map."""
    return np.array(transform.GetMatrix()).reshape(3, 3)
