"""The baseline without learning."""

import torch

from umaddpm_core.methods.intensity import Intensity, IntensityConfig, centred


def scan(depth, seed=0):
    return torch.rand(1, 96, 96, depth, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.1


def test_the_population_residual_is_the_z_score():
    method = Intensity(IntensityConfig(kind="population")).fit([scan(60, seed) for seed in range(8)])
    volume = scan(60, 99)
    residual = volume - method.reconstruct(volume)
    z = (volume - centred(method.mean, 60)) / centred(method.deviation, 60)
    assert torch.corrcoef(torch.stack([residual.flatten(), z.flatten()]))[0, 1] > 0.999999


def test_kinds_look_at_their_direction():
    volume = scan(10)
    residual = {kind: volume - Intensity(IntensityConfig(kind=kind)).reconstruct(volume) for kind in ("bright", "dark", "two_sided")}
    assert torch.equal(residual["bright"], volume)
    assert torch.allclose(-residual["dark"], 1 - volume)
    assert residual["two_sided"].median().abs() < 1e-6


def test_volumes_are_aligned_by_their_middle():
    volume = torch.arange(5.0).view(1, 1, 1, 5)
    assert centred(volume, 9)[0, 0, 0].tolist() == [0, 0, 0, 1, 2, 3, 4, 0, 0]
    assert centred(volume, 3)[0, 0, 0].tolist() == [1, 2, 3]
