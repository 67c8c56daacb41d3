"""Labelled heads vote for the structures of the template."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.data.structures import vote
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.registration import read_atlas
from umaddpm_core.preprocessing.structures import read_structures


@pytest.mark.data
def test_two_heads_agree_with_the_shipped_vote_of_all(real_data, tmp_path):
    heads = sorted((real_data / "labelmaps").glob("*.nii*"))[:2]
    assert vote(heads, *read_atlas(), tmp_path / "structures.nii.gz") == 2
    ours = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "structures.nii.gz")))
    shipped = sitk.GetArrayFromImage(read_structures())
    assert (ours == shipped)[shipped > 0].mean() > 0.7
    left, right = np.isin(shipped, (2, 3)), np.isin(shipped, (41, 42))
    assert np.isin(ours[left], (41, 42)).mean() < 0.02 and np.isin(ours[right], (2, 3)).mean() < 0.02


def test_heads_that_are_none_end_in_one_sentence(tmp_path):
    path = tmp_path / "dot.nii.gz"
    dot = np.zeros((40, 40, 40), np.uint8)
    dot[20, 20, 20] = 2
    sitk.WriteImage(sitk.GetImageFromArray(dot), str(path))
    with pytest.raises(InputError, match="No label map"):
        vote([path], *read_atlas(), tmp_path / "out.nii.gz")
    assert not (tmp_path / "out.nii.gz").exists()
