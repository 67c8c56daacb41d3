"""Draw the icon of the Slicer extension: a brain from above, and one spot that does not belong.

    python benchmarks/slicer_icon.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.patches import Circle, FancyBboxPatch, Polygon  # noqa: E402
from scipy.interpolate import make_interp_spline  # noqa: E402

EXTENSION = Path(__file__).parents[1] / "slicer_extension"
TARGETS = (EXTENSION / "UMADDPM.png", EXTENSION / "AnomalyDetection" / "Resources" / "Icons" / "AnomalyDetection.png")
SIDE, NIGHT, BRAIN, FOLD, SPOT = 128, "#14304a", "#e8eef4", "#8fa6ba", "#ff5252"
FOLDS = (
    ((56, 94), (48, 90), (46, 82), (38, 80)),
    ((57, 78), (50, 74), (48, 66), (36, 64)),
    ((57, 58), (50, 56), (46, 48), (36, 48)),
    ((57, 42), (50, 38), (48, 32), (44, 30)),
)
"""On the left; the right is their mirror, without the second, where the spot is."""


def main() -> None:
    figure = plt.figure(figsize=(SIDE / 100, SIDE / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIDE), ylim=(0, SIDE))
    axes.axis("off")
    axes.add_patch(FancyBboxPatch((4, 4), 120, 120, boxstyle="round,pad=0,rounding_size=24", fc=NIGHT, ec="none"))
    angle = np.linspace(0, 2 * np.pi, 721)
    radius = 1 + 0.035 * np.cos(13 * angle)
    across = 64 + 36 * radius * np.sin(angle) * (1 - 0.1 * np.cos(angle))
    axes.add_patch(Polygon(np.stack([across, 64 + 45 * radius * np.cos(angle)], axis=1), fc=BRAIN, ec="none"))
    axes.plot([64, 64], [24, 104], color=NIGHT, lw=1.6, solid_capstyle="round")
    for number, fold in enumerate(np.array(FOLDS, dtype=float)):
        for mirrored in (False, True)[: 1 if number == 1 else 2]:
            smooth = make_interp_spline(np.linspace(0, 1, 4), fold, k=3)(np.linspace(0, 1, 60))
            axes.plot(SIDE - smooth[:, 0] if mirrored else smooth[:, 0], smooth[:, 1], color=FOLD, lw=1.5, solid_capstyle="round")
    for size, opacity in ((15, 0.22), (11.5, 0.45)):
        axes.add_patch(Circle((82, 70), size, fc=SPOT, ec="none", alpha=opacity))
    axes.add_patch(Circle((82, 70), 8, fc=SPOT, ec="white", lw=1.4))
    for target in TARGETS:
        figure.savefig(target, dpi=100, transparent=True)


if __name__ == "__main__":
    main()
