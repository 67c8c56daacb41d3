"""Training slices from the array cache, every one determined by the seed and its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from umaddpm_core.data.cache import LEVELS, ArrayCache, CachedScan
from umaddpm_core.diffusion.draws import Draws


class SliceBatches(Dataset):
    """Batch number i of a run: random scans, and of each a random slice that holds brain, or some that follow one another.

    Args:
        cache, scans: what to draw from; all volumes are held in memory as uint8.
        batch: slices a batch, of all processes together.
        count: batches this data set yields, from number `first` on.
        seed: of the run.
        real_weight: how many times more often a real scan is drawn than a synthetic one of the same sequence. Sequences are
            drawn equally often, however many scans each has.
        window: slices of a scan that follow one another in the batch.
        process, processes: which equal share of every batch this process computes, and of how many.

    An item is a dict with `image` [B, 1, 96, 96] in [0, 1]; `brain`, boolean, of the same shape; `sample`, the numbers of
    its slices in the run, int64 [B]; and `step`, its own number.
    """

    def __init__(
        self,
        cache: ArrayCache,
        scans: Sequence[CachedScan],
        batch: int,
        count: int,
        seed: int,
        *,
        first: int = 0,
        real_weight: float = 1.0,
        window: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.volumes = [torch.from_numpy(cache.levels(scan)).permute(2, 0, 1).contiguous() for scan in scans]
        self.chances = chances(scans, real_weight).cumsum(0)
        self.batch, self.count, self.seed, self.first = batch, count, seed, first
        self.window, self.process, self.processes = window, process, processes

    def part(self, **changes: int) -> SliceBatches:
        """The same volumes, other numbers: `first`, `count`, `process`, `processes`."""
        other = object.__new__(SliceBatches)
        other.__dict__ = {**self.__dict__, **changes}
        return other

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor | int]:
        step, share = self.first + index, self.batch // self.processes
        sample = step * self.batch + self.process * share + torch.arange(share)
        draws = Draws.of(self.seed, sample[:: self.window], step)
        scans = torch.searchsorted(self.chances, draws.uniform().double(), right=True).clamp_max(len(self.volumes) - 1)
        volumes = [self.volumes[scan] for scan in scans]
        starts = [int(where * (len(volume) - self.window + 1)) for volume, where in zip(volumes, draws.uniform())]
        slices = [volume[start : start + self.window] for volume, start in zip(volumes, starts)]
        image = torch.cat(slices)[:, None].float() / LEVELS
        return {"image": image, "brain": image > 0, "sample": sample, "step": step}


def chances(scans: Sequence[CachedScan], real_weight: float) -> Tensor:
    """How likely each scan is drawn, float64: sequences alike, and within one a real scan `real_weight` times a synthetic."""
    weights = torch.tensor([1.0 if scan.synthetic else real_weight for scan in scans], dtype=torch.float64)
    total: Counter[str] = Counter()
    for scan, weight in zip(scans, weights.tolist()):
        total[scan.modality] += weight
    return weights / torch.tensor([total[scan.modality] * len(total) for scan in scans], dtype=torch.float64)
