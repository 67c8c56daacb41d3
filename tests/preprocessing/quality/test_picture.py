"""What the prepared picture itself shows."""

import pytest
import SimpleITK as sitk
import torch

from umaddpm_core.preprocessing.grid import resampled, to_tensor
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.quality.picture import cavity_ml, detail, likeness


@pytest.fixture(scope="module")
def prepared(small_scan):
    return Preprocessor().prepare(small_scan)


@pytest.fixture(scope="module")
def template(prepared):
    return to_tensor(resampled(Preprocessor().template, prepared.grid, sitk.Transform(), sitk.sitkLinear))


def ball(volume, centre, radius):
    """Boolean, in voxels of 2 mm."""
    axes = torch.meshgrid(*[torch.arange(side) for side in volume.shape[1:]], indexing="ij")
    return (sum((axis - c) ** 2 for axis, c in zip(axes, centre)) <= radius**2)[None]


def test_a_smooth_picture_has_less_detail_than_a_brain(prepared):
    brain = prepared.brain
    depth = torch.arange(brain.shape[1]).view(1, -1, 1, 1) / brain.shape[1]
    assert detail(prepared.volume, brain) > 0.28
    assert detail((depth * brain).float(), brain) < 0.1
    assert detail(prepared.volume, torch.zeros_like(brain)) == 0


def test_the_scan_is_like_the_template_and_its_inverse_is_not(prepared, template):
    assert likeness(prepared.volume, prepared.brain, template) > 0.5
    assert likeness((1 - prepared.volume) * prepared.brain, prepared.brain, template) < -0.5


def test_a_hole_deep_in_the_brain_is_a_cavity(prepared, template):
    before = cavity_ml(prepared.volume, prepared.brain, template)
    middle = [side // 2 for side in prepared.volume.shape[1:]]
    hole = ball(prepared.volume, (middle[0] - 15, middle[1] + 12, middle[2] + 10), 9) & prepared.brain
    holed = torch.where(hole, 0.05, prepared.volume)
    assert before < 5
    assert cavity_ml(holed, prepared.brain, template) > before + 0.5 * float(hole.sum()) * 8 / 1000
