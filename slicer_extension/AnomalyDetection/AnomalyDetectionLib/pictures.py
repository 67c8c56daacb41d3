"""Slices as pictures: numpy in, PNG out."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from scipy import ndimage

MASK_COLOR = (255, 82, 82)
HEAT_ANCHORS = np.array(
    [[0.0, 0.0, 0.02], [0.34, 0.06, 0.43], [0.73, 0.21, 0.33], [0.98, 0.55, 0.04], [0.99, 1.0, 0.64]]
)
"""Colors from no anomaly to twice the threshold, evenly spaced; rising in lightness, so that they can be told apart in grey."""
FAINTEST = 0.5
"""Share of the threshold below which no heat is drawn."""


def heat_colors(number: int = 256) -> np.ndarray:
    """The colors of anomaly maps, 0–1 [number, 3]."""
    shares = np.linspace(0, len(HEAT_ANCHORS) - 1, number)
    return np.stack([np.interp(shares, np.arange(len(HEAT_ANCHORS)), channel) for channel in HEAT_ANCHORS.T], axis=1)


def axial(values: np.ndarray, ijk_to_ras: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """A volume turned so that its slices lie one above the other as a radiologist looks at them.

    Args:
        values: [K, J, I].
        ijk_to_ras: 4 x 4, maps (i, j, k, 1) to millimetres.

    Returns:
        [slice from inferior, row from anterior, column from the patient's right], and the height and width of a pixel in mm.
    """
    axes, spacing = ijk_to_ras[:3, :3], np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    of_ras = _nearest_axes(axes)
    turned = np.transpose(values, [2 - of_ras[axis] for axis in (2, 1, 0)])
    # Slices go up, rows go back, columns go to the left of the patient.
    for axis, (ras, wanted) in enumerate(((2, 1), (1, -1), (0, -1))):
        if np.sign(axes[ras, of_ras[ras]]) != wanted:
            turned = np.flip(turned, axis)
    return turned, (float(spacing[of_ras[1]]), float(spacing[of_ras[0]]))


def picture(
    values: np.ndarray,
    window: tuple[float, float],
    pixel_mm: tuple[float, float],
    mask: np.ndarray | None = None,
    heat: tuple[np.ndarray, float] | None = None,
    width: int = 280,
) -> np.ndarray:
    """One slice in grey with the outline of a mask, or an anomaly map over it, uint8 [height, width, 3].

    Args:
        values, mask: [rows, columns].
        heat: scores [rows, columns] and the threshold, which is the middle of the colors.
        window: what is black and what is white.
        pixel_mm: height and width of a pixel.
    """
    height = max(round(width * values.shape[0] * pixel_mm[0] / (values.shape[1] * pixel_mm[1])), 1)
    rows = np.minimum((np.arange(height) + 0.5) / height * values.shape[0], values.shape[0] - 1).astype(int)
    columns = np.minimum((np.arange(width) + 0.5) / width * values.shape[1], values.shape[1] - 1).astype(int)
    low, high = window
    grey = np.clip((values[rows][:, columns] - low) / max(high - low, 1e-12), 0, 1)
    image = np.repeat(np.rint(255 * grey).astype(np.uint8)[:, :, None], 3, axis=2)
    if heat is not None:
        scores = heat[0][rows][:, columns] / max(heat[1], 1e-12)
        colors = np.rint(255 * heat_colors()).astype(np.uint8)[np.clip(scores * 127.5, 0, 255).astype(int)]
        image = np.where((scores >= FAINTEST)[:, :, None], colors, image)
    if mask is not None:
        marked = mask[rows][:, columns] > 0
        image[marked & ~ndimage.binary_erosion(marked, iterations=2)] = MASK_COLOR
    return image


def png(image: np.ndarray) -> bytes:
    """A picture, uint8 [height, width, 3], as PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, _ = image.shape
    lines = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(image))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def _nearest_axes(axes: np.ndarray) -> tuple[int, int, int]:
    """Which of i, j, k runs along R, A and S: each one once, the best fit first."""
    fit = np.abs(axes / np.linalg.norm(axes, axis=0))
    chosen = [0, 0, 0]
    for _ in range(3):
        ras, ijk = np.unravel_index(fit.argmax(), fit.shape)
        chosen[ras] = int(ijk)
        fit[ras], fit[:, ijk] = -1, -1
    return tuple(chosen)
