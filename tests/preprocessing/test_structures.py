"""Which structure lies where in template space."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.preprocessing.registration import read_atlas
from umaddpm_core.preprocessing.structures import NAMES, read_structures, side_and_structure


def centre(name, side):
    image = read_structures()
    numbers = [number for number, found in NAMES.items() if found == (side, name)]
    index = np.argwhere(np.isin(sitk.GetArrayViewFromImage(image), numbers)).mean(0)[::-1]
    return np.array(image.TransformContinuousIndexToPhysicalPoint(index.tolist()))


def test_every_voxel_of_the_template_has_a_structure():
    template, brain = read_atlas()
    image = read_structures()
    assert image.GetSize() == template.GetSize() and image.GetOrigin() == template.GetOrigin()
    numbers, inside = sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(brain) > 0
    assert np.array_equal(numbers > 0, inside) and set(np.unique(numbers[inside])) <= set(NAMES)


def test_left_is_left_and_what_lies_below_lies_below():
    for name in ("hippocampus", "putamen", "cerebral cortex"):
        assert centre(name, "left")[0] > centre(name, "right")[0] + 20, "x grows to the left in SimpleITK"
    assert centre("cerebellum", "left")[2] < centre("thalamus", "left")[2] < centre("cerebral cortex", "left")[2]
    assert centre("brainstem", "middle")[2] < centre("thalamus", "left")[2]
    template = sitk.GetArrayViewFromImage(read_atlas()[0])
    numbers = sitk.GetArrayViewFromImage(read_structures())
    ventricles, white = np.isin(numbers, (4, 43)), np.isin(numbers, (2, 41))
    assert template[ventricles].mean() < 0.95 * template[white].mean(), "T1: ventricles are darker, though the voting heads have wider ones"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([2] * 8 + [41, 3], ("left", "cerebral white matter")),
        ([2, 41] * 5, ("both", "cerebral white matter")),
        ([16] * 4, ("middle", "brainstem")),
        ([46, 47, 47], ("right", "cerebellum")),
        ([0, 0, 99], ("", "")),
        ([0] * 90 + [17], ("left", "hippocampus")),
    ],
)
def test_a_region_lies_where_most_of_it_lies(numbers, expected):
    assert side_and_structure(np.array(numbers, np.uint8)) == expected
