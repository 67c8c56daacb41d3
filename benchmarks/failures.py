"""Draw where the default model fails, for the model card: what it marks in healthy people, and lesions it does not.

    python benchmarks/healthy_people.py --cache cache --modality T1
    python benchmarks/failures.py --cache cache

Of the healthy test people, the three with the largest share marked, where anything is; of the painted lesions, the three largest among those with the
lowest Dice. Only IXI scans are drawn. Writes `docs/images/failures.png`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from common import RESULTS, ROOT
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.detection.anomaly_map import anomaly_map, mask_of
from umaddpm_core.detection.calibration import chosen_threshold
from umaddpm_core.detection.models import DEFAULT, find_model
from umaddpm_core.evaluation.repaint import Repainted, lesion_seeds, repaint
from umaddpm_core.methods import from_artefact
from umaddpm_core.preprocessing.grid import VOXEL_MM3

MODALITY, EACH, POOR_DICE = "T1", 3, 0.1
BACKGROUND, INK, FAINT, FOUND, TRUTH = "#101418", "#e8edf2", "#8b98a5", "#ff5252", "#4fc3f7"
COLUMNS = ("scan", "repainted as healthy", "anomaly map", "marked (red), painted (blue)")


def chosen(rows: list[dict], people: int) -> list[tuple[str, int | None, str]]:
    """Subject, seed of the painted lesion or None, and what is said of the case."""
    healthy = sorted((row for row in rows if not row["lesion"] and row["marked_share"] > 0), key=lambda row: -row["marked_share"])[:EACH]
    shown = [(row["subject"], None, f"healthy: {100 * row['marked_share']:.1f} % of the brain marked") for row in healthy]
    seeds, counted, missed = lesion_seeds("test", people), {}, []
    for row in rows:
        if row["lesion"]:
            number = counted[row["subject"]] = counted.get(row["subject"], -1) + 1
            if row["dice"] < POOR_DICE:
                missed.append((row["lesion"]["volume_ml"], row["subject"], seeds[number], row))
    for volume, subject, seed, row in sorted(missed, key=lambda entry: -entry[0])[:EACH]:
        lesion = row["lesion"]
        words = f"{lesion['kind']} lesion of {volume:.0f} ml, {abs(100 * lesion['contrast']):.0f} % {'darker' if lesion['contrast'] < 0 else 'brighter'}"
        shown.append((subject, seed, f"missed: {words}, Dice {row['dice']:.2f}"))
    return shown


def draw(figure: Figure, row: int, rows: int, case: Repainted, score_map: np.ndarray, mask: np.ndarray, limit: float, words: str) -> None:
    """One row: scan, reconstruction, map and outlines in the slice where most is to be seen."""
    truth = case.truth[0].numpy()
    z = int((truth if truth.any() else mask).sum((0, 1)).argmax())
    pictures = (case.volume[0, :, :, z].numpy(), case.reconstruction[0, :, :, z].numpy(), score_map[:, :, z])
    height = 0.93 / rows
    for column in range(4):
        axes = figure.add_axes((column / 4, 0.95 - (row + 1) * height, 0.245, 0.86 * height))
        axes.imshow(np.rot90(pictures[column % 3]), cmap="inferno" if column == 2 else "gray", vmin=0, vmax=limit if column == 2 else 1)
        if column == 3:
            for region, colour in ((mask, FOUND), (truth, TRUTH)):
                if region[:, :, z].any():
                    axes.contour(np.rot90(region[:, :, z]).astype(float), [0.5], colors=colour, linewidths=1.1)
        axes.set_axis_off()
    figure.text(0.01, 0.95 - row * height - 0.09 * height, words, color=INK, fontsize=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    cache, artefact = ArrayCache(options.cache), Artefact.load(find_model(DEFAULT))
    method, threshold = from_artefact(artefact), chosen_threshold(artefact.calibration[MODALITY], None, None)
    scans = {scan.subject: scan for scan in cache.scans("test", MODALITY, healthy=True, synthetic=False)}
    results = json.loads((RESULTS / f"healthy_people_{DEFAULT}_{MODALITY}.json").read_text())
    cases = chosen(results["model_cases"], len(scans))
    figure = Figure(figsize=(8, 2.15 * len(cases)), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    for column, name in enumerate(COLUMNS):
        figure.text(column / 4 + 0.01, 0.975, name, color=FAINT, fontsize=9)
    for row, (subject, seed, words) in enumerate(cases):
        (case,) = repaint(method, cache, scans[subject], (seed,))
        score_map = anomaly_map(case.volume, case.reconstruction, case.brain, threshold.score)[0].numpy()
        mask = mask_of(score_map, threshold.value, VOXEL_MM3)
        draw(figure, row, len(cases), case, score_map, mask, 2 * threshold.value, f"{subject}, {words}")
    figure.text(0.01, 0.004, "IXI, CC BY-SA 3.0. Painted lesions are no tumours. Research use only.", color=FAINT, fontsize=8)
    figure.savefig(ROOT / "docs" / "images" / "failures.png", dpi=100)


if __name__ == "__main__":
    main()
