"""How good is a T2 that is made of a T1? Measured on people the translator was not trained on.

    python benchmarks/contrast.py --cache cache

Prints the correlation and the SSIM of synthetic and real T2 inside the brain for the validation and test people of the cache
who have both, and for Kirby21-113, who was scanned elsewhere; and the mean intensities of CSF, grey and white matter, whose
order in T2 is CSF > grey > white. Writes `docs/results/contrast.json` and, of one test person, `docs/images/contrast.png`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.ndimage import binary_erosion
from torch import Tensor

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.cohorts import data_root
from umaddpm_core.data.contrast import load_translator, pairs
from umaddpm_core.evaluation.metrics import ssim
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.resources import CONTRAST

ROOT = Path(__file__).parents[1]
TISSUES = {"csf": (0.0, 0.2), "grey": (0.4, 0.6), "white": (0.8, 1.0)}
"""Ranges of T1 rank inside the brain that are mostly one tissue in healthy people."""


def figures(t1: Tensor, real: Tensor, synthetic: Tensor) -> dict[str, float]:
    """Correlation, SSIM and the tissues' mean T2 intensity in the synthetic and in the real scan."""
    brain = t1 > 0
    measured = {
        "correlation": float(torch.corrcoef(torch.stack([real[brain], synthetic[brain]]))[0, 1]),
        "ssim": ssim(synthetic, real, brain),
    }
    inner = torch.from_numpy(binary_erosion(brain[0].numpy(), iterations=2))[None]
    ranks = torch.zeros_like(t1)
    ranks[inner] = t1[inner].argsort().argsort() / inner.sum()
    for tissue, (low, high) in TISSUES.items():
        where = inner & (ranks >= low) & (ranks <= high)
        measured[f"{tissue}_synthetic"], measured[f"{tissue}_real"] = float(synthetic[where].mean()), float(real[where].mean())
    return measured


def kirby(settings: PreprocessingSettings) -> tuple[Tensor, Tensor]:
    """T1 and T2 of Kirby21-113 on one grid."""
    folder = data_root() / "pairs" / "kirby21-113"
    t1, t2 = (next(path for path in sorted(folder.glob("*.nii.gz")) if name in path.name) for name in ("T1", "T2"))
    preprocessor = Preprocessor(settings)
    prepared = preprocessor.prepare(t1)
    return prepared.volume, preprocessor.prepare_like(sitk.ReadImage(str(t2), sitk.sitkFloat32), prepared)


def picture(path: Path, t1: Tensor, real: Tensor, synthetic: Tensor, title: str) -> None:
    """T1, real T2 and synthetic T2 of three slices, radiological view."""
    figure = Figure(figsize=(9, 9.4), facecolor="#101418")
    FigureCanvasAgg(figure)
    depth = t1.shape[-1]
    rows = [("T1", t1), ("T2 as scanned", real), ("T2 made of the T1", synthetic)]
    for row, (name, volume) in enumerate(rows):
        for column, share in enumerate((0.35, 0.52, 0.7)):
            axes = figure.add_axes((column / 3, 0.03 + (2 - row) * 0.31, 0.33, 0.31))
            axes.imshow(np.rot90(volume[0, :, :, int(share * depth)].numpy()), cmap="gray", vmin=0, vmax=1)
            axes.set_axis_off()
            if column == 0:
                axes.text(3, 8, name, color="#e8edf2", fontsize=11)
    figure.text(0.01, 0.975, title, color="#e8edf2", fontsize=10)
    figure.text(0.01, 0.008, "IXI, CC BY-SA 3.0. Research use only.", color="#8b98a5", fontsize=8)
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=CONTRAST)
    options = parser.parse_args()
    cache, artefact = ArrayCache(options.cache), Artefact.load(options.model)
    network = load_translator(artefact)
    cases = {}
    for part in ("validation", "test"):
        for subject, t1, real in pairs(cache, part):
            synthetic = network.translate(t1)
            cases[f"{subject} ({part})"] = figures(t1, real, synthetic)
            shown = t1, real, synthetic, f"{subject}, not seen in training"
    t1, real = kirby(PreprocessingSettings(**artefact.preprocessing))
    cases["Kirby21-113 (another scanner)"] = figures(t1, real, network.translate(t1))
    print("| person | correlation | SSIM | CSF, grey, white: synthetic | real |\n|---|---|---|---|---|")
    for name, case in cases.items():
        made, true = (", ".join(f"{case[f'{tissue}_{kind}']:.2f}" for tissue in TISSUES) for kind in ("synthetic", "real"))
        print(f"| {name} | {case['correlation']:.3f} | {case['ssim']:.3f} | {made} | {true} |")
    write_json(ROOT / "docs" / "results" / "contrast.json", {"trained_on": artefact.provenance["subjects"], "cases": cases})
    picture(ROOT / "docs" / "images" / "contrast.png", *shown)


if __name__ == "__main__":
    main()
