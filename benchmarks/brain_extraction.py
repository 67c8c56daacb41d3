"""How well does the bundled network find the brain? On people, contrasts and scanners it was not trained on.

    python benchmarks/brain_extraction.py                    # Dice with labels, table in docs/results
    python benchmarks/brain_extraction.py --sheet cache/brains.png   # and a picture of unlabelled real scans, for the eye

Reference: DLMUSE region labels closed by 6 mm and filled (IXI; for T2 those of the same person's T1), the MNI152 brain mask.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from umaddpm_core.data.cohorts import data_root, ixi, ixi_brain_labels, lgg
from umaddpm_core.data.labelled_heads import filled_brain
from umaddpm_core.data.splits import healthy_split, sequences_by_subject
from umaddpm_core.evaluation.metrics import dice
from umaddpm_core.preprocessing.brain_extraction import bundled_mask
from umaddpm_core.preprocessing.heads import upright
from umaddpm_core.preprocessing.reading import read_scan

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "brain_extraction.json"
LGG_CASES = 10
AXIAL = 6


def labelled_cases(root: Path) -> list[tuple[str, str, sitk.Image, sitk.Image]]:
    """Group, name, scan and reference brain of every labelled head that was not trained on."""
    scans, labels = ixi(root / "ixi"), ixi_brain_labels(root / "ixi")
    parts = healthy_split(sequences_by_subject(scans), labels)
    cases = []
    for scan in scans:
        if scan.subject in labels and parts[scan.subject] != "training":
            regions = sitk.ReadImage(str(labels[scan.subject]))
            brain = filled_brain(regions, sitk.GetArrayFromImage(regions) > 0)
            cases.append((f"IXI {scan.modality}", scan.name, read_scan(scan.path).image, brain))
    mask = sitk.ReadImage(str(root / "atlas/mni152/brain_mask.nii.gz"), sitk.sitkFloat32)
    for modality in ("T1", "T2"):
        head = read_scan(root / f"atlas/mni152/head_{modality}_2mm.nii.gz").image
        brain = sitk.Resample(mask, head, sitk.Transform(), sitk.sitkLinear, 0.0)
        cases.append((f"MNI152 head {modality}", f"MNI152-{modality}", head, brain))
    return cases


def unlabelled_scans(root: Path) -> dict[str, Path]:
    """Real scans with tumours and other geometries, for looking at."""
    scans = {f"BRAINIX {name}": root / "brainix" / f"{name}.nii.gz" for name in ("T1", "T2", "FLAIR")}
    return scans | {f"LGG {scan.subject}": scan.path for scan in lgg(root / "lgg")[:LGG_CASES]}


def draw_sheet(scans: dict[str, Path], path: Path) -> None:
    """One row per scan: six axial and two sagittal slices with the outline of the brain found."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 2.1 * len(scans)), facecolor="black")
    FigureCanvasAgg(figure)
    for row, (name, source) in enumerate(scans.items()):
        scan = read_scan(source).image
        head, brain = (sitk.GetArrayFromImage(upright(image)) for image in (scan, bundled_mask(scan)))
        spacing = upright(scan).GetSpacing()
        planes, columns = np.flatnonzero(brain.any((1, 2))), np.flatnonzero(brain.any((0, 1)))
        views = [(head[z], brain[z], spacing[1] / spacing[0]) for z in np.linspace(planes[0], planes[-1], AXIAL + 2).astype(int)[1:-1]]
        views += [
            (head[::-1, :, x], brain[::-1, :, x], spacing[2] / spacing[1]) for x in np.quantile(columns, (0.3, 0.5)).astype(int)
        ]
        for column, (picture, outline, aspect) in enumerate(views):
            axes = figure.add_axes((column / len(views), 1 - (row + 0.9) / len(scans), 0.98 / len(views), 0.9 / len(scans)))
            axes.imshow(picture, cmap="gray", vmax=np.percentile(head, 99.5), aspect=aspect)
            if outline.any():
                axes.contour(outline, (0.5,), colors="#ff5252", linewidths=0.9)
            axes.set_axis_off()
        figure.text(0.005, 1 - (row + 0.08) / len(scans), f"{name}. Research use only.", color="white", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=70)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path, help="PNG of unlabelled scans, in a place that git ignores")
    arguments = parser.parse_args()
    root = data_root()
    groups: dict[str, dict[str, float]] = {}
    seconds = []
    for group, name, scan, reference in labelled_cases(root):
        started = time.perf_counter()
        found = sitk.GetArrayFromImage(bundled_mask(scan)) > 0
        seconds.append(time.perf_counter() - started)
        groups.setdefault(group, {})[name] = round(dice(found, sitk.GetArrayFromImage(reference) > 0.5), 4)
    print("| heads not trained on | scans | mean Dice | worst |\n|---|---|---|---|")
    for group, values in groups.items():
        print(f"| {group} | {len(values)} | {np.mean(list(values.values())):.3f} | {min(values.values()):.3f} |")
    print(f"\n{np.median(seconds):.1f} s a scan (median)")
    RESULTS.write_text(json.dumps(groups, indent=1) + "\n")
    if arguments.sheet:
        draw_sheet(unlabelled_scans(root), arguments.sheet)
        print(f"Picture: {arguments.sheet}")


if __name__ == "__main__":
    main()
