"""Painted diseases look like what they are called."""

import pytest
import torch
from scipy import ndimage

from umaddpm_core.data.synthetic_lesions import PATHOLOGIES, paint_pathology

LESIONS = [kind for kind in PATHOLOGIES if kind != "atrophy"]


@pytest.fixture(scope="module")
def brain():
    x, y, z = torch.meshgrid(torch.arange(96), torch.arange(96), torch.arange(70), indexing="ij")
    return ((((x - 48) / 34) ** 2 + ((y - 48) / 42) ** 2 + ((z - 35) / 33) ** 2) < 1)[None]


@pytest.fixture(scope="module")
def healthy(brain):
    """Dark ventricles in the middle, white matter on the left, darker grey matter on the right."""
    x, y, z = torch.meshgrid(torch.arange(96), torch.arange(96), torch.arange(70), indexing="ij")
    volume = torch.where(x < 48, 0.7, 0.4)
    volume[(x - 48) ** 2 + (y - 48) ** 2 + (z - 35) ** 2 < 8**2] = 0.1
    return torch.where(brain, volume[None], 0.0)


def depth(region, brain):
    return ndimage.distance_transform_edt(brain[0].numpy())[region[0].numpy()]


@pytest.mark.parametrize("modality", ["T1", "T2"])
@pytest.mark.parametrize("kind", LESIONS)
def test_size_and_direction_are_as_stated(kind, modality, healthy, brain):
    for seed in range(6):
        painted, mask, lesion = paint_pathology(kind, modality, [8.0, 30.0], healthy, brain, seed)
        assert lesion.kind == kind and mask.sum().item() * 0.008 == pytest.approx(lesion.volume_ml)
        assert any(0.5 * size < lesion.volume_ml < 1.05 * size for size in (8.0, 30.0))
        assert (lesion.contrast < 0) == (modality == "T1")
        assert ((painted - healthy)[mask].mean() < 0) == (modality == "T1")
        assert torch.equal(painted[~brain], healthy[~brain])


def test_the_same_seed_paints_the_same_and_without_sizes_they_are_drawn(healthy, brain):
    first, again = (paint_pathology("ring", "T1", (), healthy, brain, 3) for _ in range(2))
    assert torch.equal(first[0], again[0]) and first[2] == again[2] and 5 <= first[2].volume_ml <= 100


def test_an_infarct_begins_on_the_surface_and_narrows(healthy, brain):
    _, mask, _ = paint_pathology("infarct", "T1", [30.0], healthy, brain, 1)
    depths = depth(mask, brain)
    assert depths.min() == 1
    assert (depths < depths.max() / 2).sum() > 1.5 * (depths >= depths.max() / 2).sum()


def test_oedema_prefers_white_matter_and_has_no_sharp_edge(healthy, brain):
    share = []
    for seed in range(12):
        painted, mask, _ = paint_pathology("oedema", "T1", [40.0], healthy, brain, seed)
        share.append((healthy[mask] > 0.6).float().mean().item())
    assert sum(share) / len(share) > 0.6, "half of this brain is white matter"
    assert ((painted - healthy).abs() > 1e-3).sum() > 1.3 * mask.sum()


def test_a_ring_is_stronger_inside(healthy, brain):
    flat = torch.where(brain, 0.6, 0.0)
    painted, mask, lesion = paint_pathology("ring", "T1", [60.0], flat, brain, 2)
    change = (painted - flat)[mask] / (0.6 * lesion.contrast)
    assert (change > 1.8).float().mean() > 0.15 and ((change > 0.8) & (change < 1.2)).float().mean() > 0.2


def test_atrophy_widens_the_ventricles_and_is_no_lesion(healthy, brain):
    painted, mask, lesion = paint_pathology("atrophy", "T1", [40.0], healthy, brain, 0)
    assert not mask.any() and lesion.contrast == 0
    assert 1.3 < (painted[brain] < 0.2).sum() / (healthy[brain] < 0.2).sum() < 4
