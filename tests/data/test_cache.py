"""The array cache."""

import json

import pytest
import torch

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.settings import PreprocessingSettings


def test_keeps_intensities_and_brain(tiny_cache, small_scan):
    prepared = Preprocessor(PreprocessingSettings(**tiny_cache.settings)).prepare(small_scan)
    volume = tiny_cache.volume(tiny_cache.scans("test")[0])
    assert torch.equal(volume > 0, prepared.brain)
    assert (volume - prepared.volume).abs().max() <= 0.5 / 255 + 1e-6


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="not an array cache"):
        ArrayCache(tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(InputError, match="not complete yet"):
        ArrayCache(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="another version"):
        ArrayCache(tmp_path)
