"""At which t, with how many draws and with which score should a model be deployed? Measured on what is never reported.

    umaddpm preprocess ../shared/data/lgg -o cache_lgg
    python benchmarks/settings_choice.py run/model.safetensors --cache cache --lgg cache_lgg --modality T1 --t 150 --t 200

On validation people: PSNR inside the brain, and of lesions painted into their scans the share that is restored, the error ratio,
and by score the pooled Dice at the best threshold. On the 15 LGG development cases (T1 only): mean AUPRC, and mean Dice at the
thresholds `healthy_fpr_1` and `synthetic_dice` that these validation people give.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.detection.anomaly_map import SCORES, mask_of
from umaddpm_core.detection.calibration import dice_threshold, quantile_threshold
from umaddpm_core.evaluation.calibrate import DIRECTION, FALSE_POSITIVE_RATE
from umaddpm_core.evaluation.metrics import average_precision, dice, error_ratio, psnr, restored_share
from umaddpm_core.evaluation.repaint import Repainted, lesion_seeds, over_scans, repaint
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.preprocessing.grid import VOXEL_MM3


def painted(method: Method, cache: ArrayCache, seeds: tuple[int | None, ...], scan: CachedScan) -> list[tuple]:
    """Figures, maps in the examined region, truth there and contrast of a validation person, plain and with each lesion."""
    found = []
    for case in repaint(method, cache, scan, seeds):
        examined = case.examined()
        figures = [psnr(case.reconstruction, case.volume, case.brain)]
        if case.lesion:
            figures = [f(case.reconstruction, case.volume, case.healthy, case.truth) for f in (restored_share, error_ratio)]
        maps = {score: score_map[examined].astype(np.float16) for score, score_map in case.maps().items()}
        found.append((figures, maps, case.truth[0].numpy()[examined], case.lesion.contrast if case.lesion else 0.0))
    return found


def tumour(method: Method, cache: ArrayCache, scan: CachedScan) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Maps by score and the truth of a patient, [96, 96, S]."""
    volume = cache.volume(scan)
    case = Repainted(scan, volume, volume, method.reconstruct(volume), volume > 0, cache.lesions(scan) > 0, None)
    return {score: score_map.astype(np.float16) for score, score_map in case.maps().items()}, case.truth[0].numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--lgg", type=Path, help="array cache of the low-grade gliomas")
    parser.add_argument("--modality", default="T1")
    parser.add_argument("--t", type=int, action="append", required=True)
    parser.add_argument("--draws", type=int, action="append")
    parser.add_argument("--people", type=int, help="so many validation people; by default all")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    cache, artefact = ArrayCache(options.cache), Artefact.load(options.model)
    scans = cache.scans("validation", options.modality)[: options.people]
    seeds = (None, *lesion_seeds("calibration", len(scans))[:3])
    patients = ArrayCache(options.lgg) if options.lgg and options.modality == "T1" else None
    for t in options.t:
        for draws in options.draws or [1]:
            method = from_artefact(artefact, t_test=t, draws=draws, shared_noise_test=False)
            people = over_scans(partial(painted, method, cache, seeds), scans, options.workers, None)
            healthy, lesioned = [one[0] for one in people], [case for one in people for case in one[1:]]
            restored, error = np.nanmean([case[0] for case in lesioned], axis=0)
            print(f"t = {t}, {draws} draws: PSNR {np.mean([case[0] for case in healthy]):.2f} dB, restored {100 * restored:.0f} %, error ratio {error:.2f}", flush=True)
            cases = []
            if patients:
                cases = over_scans(partial(tumour, method, patients), patients.scans("development", "T1"), options.workers, None)
            for score in SCORES:
                sought = [case for case in lesioned if case[3] * DIRECTION.get(score, case[3]) > 0]
                values, truth = (np.concatenate(arrays) for arrays in zip(*((case[1][score], case[2]) for case in sought)))
                best, pooled = dice_threshold(values.astype(np.float32), truth)
                one = quantile_threshold(np.concatenate([case[1][score] for case in healthy]).astype(np.float32), FALSE_POSITIVE_RATE)
                line = f"  {score:8} painted: pooled Dice {pooled:.3f}"
                if cases:
                    auprc = np.mean([average_precision(maps[score].astype(np.float32), mask) for maps, mask in cases])
                    at = (np.mean([dice(mask_of(maps[score], level, VOXEL_MM3), mask) for maps, mask in cases]) for level in (one, best))
                    line += " | LGG development: AUPRC {:.3f}, Dice {:.3f} at healthy_fpr_1, {:.3f} at synthetic_dice".format(auprc, *at)
                print(line, flush=True)


if __name__ == "__main__":
    main()
