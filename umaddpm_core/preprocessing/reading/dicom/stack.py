"""Slices in their order in space, where they make up a volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.checks import LARGEST_SHEAR_DEGREES, check_grid
from umaddpm_core.preprocessing.reading.dicom.frames import Frame

SAME_DIRECTION = 1e-3
SAME_PLACE_MM = 0.01
STEP_TOLERANCE = 0.05
"""Share of the step between slices that one step may deviate from the others."""
PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class Stack:
    """Slices from the first to the last, with the grid that they lie on.

    Attributes:
        frames: in the order of their position along the normal of the slices.
        spacing: [3], mm.
        direction: [3, 3], the axes as columns (LPS).
    """

    frames: list[Frame]
    spacing: np.ndarray
    direction: np.ndarray

    @property
    def origin(self) -> np.ndarray:
        """Centre of the first voxel, [3], mm (LPS)."""
        return self.frames[0].position

    @property
    def size(self) -> tuple[int, int, int]:
        """Columns, rows and slices."""
        rows, columns = self.frames[0].size
        return columns, rows, len(self.frames)


def stacked(frames: Sequence[Frame], name: str) -> Stack:
    """The volume that slices make up.

    Raises:
        InputError: one slice only; sizes, spacings or orientations differ; several slices in one place, missing or
            unevenly spaced ones, or a stack that leans to a side; or not the grid of a scan.
    """
    if len(frames) == 1:
        raise InputError(f"{name} has only one slice; give the whole series.")
    _check_alike(frames, name)
    across, down = frames[0].axes
    normal = np.cross(across, down)
    normal /= np.linalg.norm(normal)
    frames = sorted(frames, key=lambda frame: frame.position @ normal)
    steps = np.diff([frame.position @ normal for frame in frames])
    _check_places(frames, steps, name)
    _check_steps(frames, steps, name)
    _check_upright(frames, normal, name)
    stack = Stack(frames, np.array([*frames[0].spacing, steps.mean()]), np.stack([across, down, normal], axis=1))
    check_grid(stack.size, stack.spacing, name)
    return stack


def _check_alike(frames: Sequence[Frame], name: str) -> None:
    sizes = Counter(f"{columns} × {rows}" for rows, columns in (frame.size for frame in frames))
    if len(sizes) > 1:
        raise InputError(f"{name} mixes slices of different sizes: {_counted(sizes)} voxels.")
    if any(not np.allclose(frame.axes, frames[0].axes, atol=SAME_DIRECTION) for frame in frames):
        planes = Counter(PLANES[np.abs(np.cross(*frame.axes)).argmax()] for frame in frames)
        how = _counted(planes) if len(planes) > 1 else f"its {len(frames)} {next(iter(planes))} slices are not parallel"
        raise InputError(f"{name} mixes orientations: {how}; give one volume.")
    spacings = Counter(" × ".join(f"{step:.4g}" for step in frame.spacing) for frame in frames)
    if len(spacings) > 1:
        raise InputError(f"{name} mixes slices of different voxel spacings: {_counted(spacings)} mm.")


def _check_places(frames: Sequence[Frame], steps: np.ndarray, name: str) -> None:
    places = 1 + np.count_nonzero(steps > SAME_PLACE_MM)
    if places == len(frames):
        return
    if len(frames) % places == 0 and places > 1:
        raise InputError(
            f"{name} holds {len(frames) // places} slices at each of {places} positions (several echoes, time points or "
            "repetitions); give a series with one."
        )
    first = int(np.argmin(steps))
    raise InputError(f"{name} has several slices in one place, such as {_between(frames, first)}; remove the duplicates.")


def _check_steps(frames: Sequence[Frame], steps: np.ndarray, name: str) -> None:
    step = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - step) > STEP_TOLERANCE * step)
    if not len(odd):
        return
    worst = int(odd[np.abs(steps[odd] - step).argmax()])
    lacking = round(steps[worst] / step) - 1
    more = f" (and {len(odd) - 1} more uneven steps)" if len(odd) > 1 else ""
    if lacking > 0 and abs(steps[worst] - (lacking + 1) * step) <= STEP_TOLERANCE * step:
        what = f"lacks {lacking} slice{'s' * (lacking != 1)}"
    else:
        what = "has unevenly spaced slices"
    raise InputError(
        f"{name} {what}: {steps[worst]:.2f} mm lie between {_between(frames, worst)}, elsewhere {step:.2f} mm{more}."
    )


def _check_upright(frames: Sequence[Frame], normal: np.ndarray, name: str) -> None:
    offsets = np.array([frame.position - frames[0].position for frame in frames])
    height = offsets[-1] @ normal
    sideways = np.linalg.norm(offsets - np.outer(offsets @ normal, normal), axis=1).max()
    lean = np.degrees(np.arctan2(sideways, height))
    if lean > LARGEST_SHEAR_DEGREES:
        raise InputError(
            f"{name} is tilted: its slices are shifted sideways against each other by up to {sideways:.1f} mm ({lean:.1f}°); "
            "resample it to a rectangular grid first."
        )


def _between(frames: Sequence[Frame], index: int) -> str:
    names = []
    for frame in frames[index : index + 2]:
        several = sum(frame.path == other.path for other in frames) > 1
        names.append(f"frame {frame.index + 1} of {frame.path.name}" if several else frame.path.name)
    return " and ".join(names)


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} of {kind}" if kind[0].isdigit() else f"{count} {kind}" for kind, count in kinds.items())
