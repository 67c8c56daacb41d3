"""Draw what every method of a comparison makes of lesions painted into two healthy IXI test people, for `docs/benchmark.md`.

    umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison
    python benchmarks/benchmark_figure.py run/compare --cache cache

`umaddpm compare` draws the same figure of the patients that the plan names, into its own folder; of patients no picture is kept
with the project. Writes `docs/images/benchmark_T1.png` and `benchmark_T2.png`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from common import ROOT
from finished_comparison import finished_comparison
from matplotlib import colormaps
from matplotlib.colors import to_rgba
from PIL import Image

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.synthetic_lesions import paint_pathology
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.comparison.figure import FOUND, TRUTH, draw
from umaddpm_core.evaluation.comparison.pictures import picture, picture_threshold
from umaddpm_core.evaluation.repaint import lesion_seed, lesion_seeds
from umaddpm_core.methods import from_artefact

KINDS = ("solid", "oedema")
SIZE_ML = 40.0
WIDTH = 1800
"""Pixels of the kept figures: a page does not show more."""


def painted_cases(cache: ArrayCache, modality: str) -> list[Case]:
    """One test person with a lesion of each of the `KINDS`."""
    scans = cache.scans("test", modality, healthy=True, synthetic=False)
    cases = []
    for kind, scan, seed in zip(KINDS, scans, lesion_seeds("test", len(scans))):
        volume = cache.volume(scan)
        painted, truth, _ = partial(paint_pathology, kind, modality, (SIZE_ML,))(volume, volume > 0, lesion_seed(scan.subject, seed))
        cases.append(Case(f"{scan.subject}, {kind}", scan.subject, painted, volume > 0, truth))
    return cases


def shrink(path: Path) -> None:
    """Make a picture as small as a page needs it, in 256 colours: greys, those of the map, and the outlines."""
    colours = [*colormaps["gray"](np.linspace(0, 1, 126)), *colormaps["inferno"](np.linspace(0, 1, 128)), to_rgba(TRUTH), to_rgba(FOUND)]
    palette = Image.new("P", (1, 1))
    palette.putpalette((np.array(colours)[:, :3] * 255).round().astype(np.uint8).tobytes())
    image = Image.open(path).convert("RGB")
    image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    comparison = finished_comparison(__doc__.splitlines()[0])
    cache, plan = comparison.cache, comparison.plan
    for modality in plan.modalities:
        cases, methods = painted_cases(cache, modality), {}
        for run in comparison.runs():
            if run.modality == modality and run.slices in (0, plan.long.slices) and run.entry.name not in methods:
                method = from_artefact(Artefact.load(comparison.model(run)), **run.entry.test)
                chosen = picture_threshold(comparison.result(run), modality)
                methods[run.entry.name] = [picture(method, case, *chosen) for case in cases]
        path = ROOT / "docs" / "images" / f"benchmark_{modality}.png"
        draw(path, cases, methods)
        shrink(path)


if __name__ == "__main__":
    main()
