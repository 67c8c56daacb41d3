"""The array cache."""

import json

import pytest
import torch

from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.data.preprocess import fill_cache
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.pipeline import Preprocessor


def test_keeps_intensities_and_brain(tiny_cache, small_scan):
    prepared = Preprocessor().prepare(small_scan)
    volume = tiny_cache.volume(tiny_cache.scans("test")[0])
    assert torch.equal(volume > 0, prepared.brain)
    assert (volume - prepared.volume).abs().max() <= 0.5 / 255 + 1e-6


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="not an array cache"):
        ArrayCache(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="another version"):
        ArrayCache(tmp_path)


def test_preprocessing_goes_on_where_it_was_and_survives_a_bad_scan(small_scan, tmp_path):
    bad = tmp_path / "bad.nii.gz"
    bad.write_text("no scan")
    scans = [Scan("A", "T1", small_scan), Scan("B", "T1", bad)]
    failures = fill_cache(tmp_path / "cache", "test", scans, {"A": "training", "B": "test"})
    assert list(failures) == ["B-T1"]
    cache = ArrayCache(tmp_path / "cache")
    assert [scan.name for scan in cache.scans()] == ["A-T1"]
    assert cache.scans()[0].quality["brain_from"] == "stripped"
    volume = tmp_path / "cache" / "volumes" / "A-T1.npz"
    before = volume.stat().st_mtime_ns
    fill_cache(tmp_path / "cache", "test", scans[:1], {"A": "training"})
    assert volume.stat().st_mtime_ns == before
