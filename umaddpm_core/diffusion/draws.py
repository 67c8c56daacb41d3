"""Random numbers that depend on a sample and not on who computes it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131
"""2^64 over the golden ratio, as a signed integer."""


class Draws:
    """The random numbers of a batch, each sample's from a stream of its own.

    A number is a hash of the sample's key, of how many were drawn before, and of its place: the same on every device,
    and however a batch is divided among processes or a run is interrupted.

    Args:
        keys: int64 [B], one for each sample.
        common: int64, the key of what the whole batch shares.

    Source: the mixing function of SplitMix64 (Steele, Lea and Flood 2014).
    """

    def __init__(self, keys: Tensor, common: Tensor | None = None) -> None:
        self.keys = keys
        self._common = keys[:1] if common is None else common.view(1)
        self._drawn = 0

    @classmethod
    def of(cls, seed: int, samples: Tensor, step: int = 0) -> Draws:
        """Draws keyed by the seed and the numbers [B] of the samples in the run; what is shared, by the seed and the step."""
        root = _mixed(torch.tensor([seed], dtype=torch.int64, device=samples.device))
        return cls(_mixed(root + samples.long()), _mixed(root ^ _mixed(torch.full_like(root, step) + 1)))

    @property
    def device(self) -> torch.device:
        return self.keys.device

    def shared(self) -> Draws:
        """Draws for one sample that stands for the whole batch."""
        return Draws(_mixed(self._common + self._turn()))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Float32 [B, *shape] in [low, high)."""
        stream = _mixed(self.keys + self._turn())
        place = torch.arange(math.prod(shape), device=self.device, dtype=torch.int64)
        bits = (_mixed(stream[:, None] + place * _GOLDEN) >> 40) & 0xFFFFFF
        return (low + (high - low) / 2**24 * bits.float()).view(len(self.keys), *shape)

    def normal(self, *shape: int) -> Tensor:
        """Float32 [B, *shape], standard normal (Box and Muller)."""
        radius = torch.sqrt(-2 * torch.log(1 - self.uniform(*shape)))
        return radius * torch.cos(2 * math.pi * self.uniform(*shape))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Int64 [B, *shape] from low to high, both included."""
        return low + (self.uniform(*shape) * (high - low + 1)).long().clamp_max(high - low)

    def flips(self, *shape: int, share: float = 0.5) -> Tensor:
        """Boolean [B, *shape], true with probability `share`."""
        return self.uniform(*shape) < share

    def _turn(self) -> Tensor:
        """What tells this drawing from the ones before."""
        self._drawn += 1
        return torch.tensor(self._drawn, dtype=torch.int64, device=self.device) * _GOLDEN


def _mixed(x: Tensor) -> Tensor:
    """SplitMix64's finaliser on int64; shifts are made logical by masking the copied sign bits."""
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return x ^ ((x >> 31) & 0x1FFFFFFFF)
