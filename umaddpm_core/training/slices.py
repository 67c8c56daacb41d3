"""Training slices from the array cache, every one determined by the seed and its number."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import Dataset

from umaddpm_core.data.cache import LEVELS, ArrayCache, CachedScan


class SliceBatches(Dataset):
    """Batch number i of a training run: random scans, one random slice of each that holds brain.

    Args:
        cache, scans: what to draw from; all volumes are held in memory as uint8.
        batch: slices a batch.
        first, count: numbers of the batches this data set yields.
        seed: of the run.

    An item is a dict with `image` [B, 1, 96, 96] in [0, 1] and `brain`, boolean, of the same shape.
    """

    def __init__(self, cache: ArrayCache, scans: list[CachedScan], batch: int, first: int, count: int, seed: int) -> None:
        self.volumes = [torch.from_numpy(cache.levels(scan)).permute(2, 0, 1).contiguous() for scan in scans]
        self.batch, self.first, self.count, self.seed = batch, first, count, seed

    def starting_at(self, first: int, count: int) -> SliceBatches:
        """The same volumes, other batch numbers."""
        other = object.__new__(SliceBatches)
        other.__dict__ = {**self.__dict__, "first": first, "count": count}
        return other

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(batch_seed(self.seed, self.first + index))
        slices = []
        for _ in range(self.batch):
            volume = self.volumes[int(torch.randint(len(self.volumes), (), generator=generator))]
            slices.append(volume[int(torch.randint(len(volume), (), generator=generator))])
        image = torch.stack(slices)[:, None].float() / LEVELS
        return {"image": image, "brain": image > 0}


def batch_seed(seed: int, number: int) -> int:
    """Seed of all random draws of batch `number` of a run with `seed`."""
    return (seed * 1_000_003 + number) % (2**63)
