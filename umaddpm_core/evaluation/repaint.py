"""Repainting the scans of a cache, healthy and with painted lesions, for calibration and tests."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from umaddpm_core.data.cache import ArrayCache, CachedScan
from umaddpm_core.data.synthetic_lesions import Lesion, paint_lesion
from umaddpm_core.detection.anomaly_map import SCORES, anomaly_map, directed, examined_region
from umaddpm_core.methods import Method

T = TypeVar("T")
Painter = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor, Lesion]]
"""Paints a lesion into a volume [1, 96, 96, S] with a brain mask, by a seed; returns volume, mask and what it is."""

FIRST_SEED = {"calibration": 11, "test": 101}
"""Seeds of the painted lesions count from here: those that choose settings are never those that are reported."""
LESIONS_EACH = (3, 8)
LESIONS = 40
"""Every person gets three lesions, one after the other; of few people up to eight, so that they are forty in all."""


@dataclass(frozen=True)
class Repainted:
    """One scan, perhaps with a painted lesion, and its reconstruction: tensors [1, 96, 96, S]."""

    scan: CachedScan
    healthy: Tensor
    volume: Tensor
    reconstruction: Tensor
    brain: Tensor
    truth: Tensor
    lesion: Lesion | None

    def maps(self) -> dict[str, np.ndarray]:
        """The anomaly map by score, as arrays [96, 96, S]."""
        bright, absolute = (anomaly_map(self.volume, self.reconstruction, self.brain, score) for score in ("bright", "absolute"))
        return {score: (absolute if score == "absolute" else directed(bright, score))[0].numpy() for score in SCORES}

    def examined(self) -> np.ndarray:
        """The examined region as a boolean array."""
        return examined_region(self.brain)[0].numpy()


def repaint(
    method: Method, cache: ArrayCache, scan: CachedScan, seeds: tuple[int | None, ...], paint: Painter = paint_lesion
) -> Iterator[Repainted]:
    """A scan once for each seed: with the lesion that seed paints into it, or as it is where the seed is None."""
    healthy = cache.volume(scan)
    brain = healthy > 0
    for seed in seeds:
        if seed is None:
            volume, truth, lesion = healthy, torch.zeros_like(brain), None
        else:
            volume, truth, lesion = paint(healthy, brain, lesion_seed(scan.subject, seed))
        yield Repainted(scan, healthy, volume, method.reconstruct(volume), brain, truth, lesion)


def lesion_seeds(purpose: str, people: int) -> tuple[int, ...]:
    """Seeds of the lesions each of so many people gets, for `calibration` or `test`."""
    first, (fewest, most) = FIRST_SEED[purpose], LESIONS_EACH
    return tuple(range(first, first + min(most, max(fewest, math.ceil(LESIONS / people)))))


def lesion_seed(subject: str, seed: int) -> int:
    """A seed of its own for every person and lesion."""
    return int.from_bytes(hashlib.sha256(f"{subject}:{seed}".encode()).digest()[:6], "big")


def over_scans(
    job: Callable[[CachedScan], T], scans: list[CachedScan], workers: int, progress: Callable[[float], None] | None = None
) -> list[T]:
    """What `job` returns for every scan, in order, computed by so many processes of one thread each (0: in this one)."""
    results = []
    with ExitStack() as stack:
        if workers:
            pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,))
            computed = stack.enter_context(pool).map(job, scans)
        else:
            computed = map(job, scans)
        for result in computed:
            results.append(result)
            if progress:
                progress(len(results) / len(scans))
    return results
