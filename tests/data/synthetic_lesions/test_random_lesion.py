"""Painted lesions are what they say they are."""

import numpy as np
import pytest
import torch

from umaddpm_core.data.synthetic_lesions import paint_lesion


@pytest.fixture(scope="module")
def brain():
    x, y, z = torch.meshgrid(torch.arange(96), torch.arange(96), torch.arange(70), indexing="ij")
    return ((((x - 48) / 34) ** 2 + ((y - 48) / 42) ** 2 + ((z - 35) / 33) ** 2) < 1)[None]


@pytest.fixture(scope="module")
def painted(brain):
    healthy = torch.where(brain, 0.6, 0.0)
    return healthy, [paint_lesion(healthy, brain, seed) for seed in range(24)]


def test_the_same_seed_paints_the_same_lesion(brain, painted):
    healthy, cases = painted
    volume, mask, lesion = paint_lesion(healthy, brain, 5)
    assert torch.equal(volume, cases[5][0]) and torch.equal(mask, cases[5][1]) and lesion == cases[5][2]


def test_volume_and_contrast_are_as_stated(brain, painted):
    healthy, cases = painted
    for volume, mask, lesion in cases:
        assert mask.sum().item() * 0.008 == pytest.approx(lesion.volume_ml, rel=0.1)
        assert 5 <= lesion.volume_ml <= 100 and 0.1 <= abs(lesion.contrast) <= 0.4
        change = (volume - healthy)[mask]
        extreme = change[change.abs().argmax()].item()
        assert extreme == pytest.approx(0.6 * lesion.contrast, rel=0.15, abs=0.02)
        assert not (volume != healthy)[~brain].any()


def test_all_kinds_occur(painted):
    lesions = [lesion for _, _, lesion in painted[1]]
    assert {lesion.kind for lesion in lesions} == {"solid", "ring"}
    assert {np.sign(lesion.contrast) for lesion in lesions} == {-1.0, 1.0}


def test_a_ring_is_weaker_inside(painted):
    healthy, cases = painted
    volume, mask, lesion = max((c for c in cases if c[2].kind == "ring"), key=lambda c: c[2].volume_ml)
    change = (volume - healthy)[mask].abs() / (0.6 * abs(lesion.contrast))
    assert ((change > 0.55) & (change < 0.75)).float().mean() > 0.2 and (change > 0.95).float().mean() > 0.2


def test_outlines_are_irregular(painted):
    _, mask, _ = max(painted[1], key=lambda case: case[2].volume_ml)
    points = mask[0].nonzero().float()
    centred = points - points.mean(0)
    spread = (centred.T @ centred / len(points)).inverse()
    distance = ((centred @ spread) * centred).sum(1)
    assert distance.max() > 5.8, "in a perfect ellipsoid no point is further than 5"
