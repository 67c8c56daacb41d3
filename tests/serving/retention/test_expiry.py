"""What nobody asked for in time goes; what is used stays."""

import os
import time
from types import SimpleNamespace

import SimpleITK as sitk

from umaddpm_core.detection.detection import VOLUMES
from umaddpm_core.serving.dicom.series_cache import SeriesCache
from umaddpm_core.serving.memory import Memory
from umaddpm_core.serving.retraining.forgetting import expire_preparations


def fetch(folder):
    (folder / "1.dcm").write_bytes(b"x")


def test_series_that_nobody_asked_for_go_and_those_in_use_stay(tmp_path):
    cache = SeriesCache(tmp_path, 1 << 20)
    old, new, used = (cache.path(uid, fetch) for uid in ("1.1", "1.2", "1.3"))
    with cache.held("1.3", fetch):
        for place in (old, used):
            os.utime(place, (time.time() - 100,) * 2)
        cache.expire(50)
        assert not old.exists() and new.exists() and used.exists() and sorted(cache.kept()) == ["1.2", "1.3"]
    cache.expire(50)
    assert not used.exists()
    assert cache.path("1.1", fetch).exists(), "it can be fetched again"


def test_detections_that_nobody_asked_for_go(monkeypatch):
    image = sitk.Image(8, 8, 8, sitk.sitkUInt8)
    detection = SimpleNamespace(scan=image, **{volume: image for volume in VOLUMES})
    memory, now = Memory(100), time.monotonic()
    for ago, question in ((100, "old"), (10, "new"), (100, "asked again")):
        monkeypatch.setattr(time, "monotonic", lambda: now - ago)
        memory.keep(question, None, detection)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    memory.keep("asked again", 0.5, detection)
    memory.expire(50)
    assert memory.get("old") is None and memory.get("new") and memory.get("asked again")
    assert memory.drop(lambda question: question == "new") == 1 and memory.get("new") is None


def test_what_trainings_prepared_goes_when_none_has_written_to_it(tmp_path):
    old, new = tmp_path / "cache-1", tmp_path / "run-2"
    for place in (old, new):
        place.mkdir()
        (place / "file").write_bytes(b"x")
    (tmp_path / "people.json").write_text("{}")
    for file in (old / "file", old, tmp_path / "people.json"):
        os.utime(file, (time.time() - 100,) * 2)
    expire_preparations(tmp_path, 50)
    assert not old.exists() and new.exists() and (tmp_path / "people.json").exists()
    expire_preparations(tmp_path / "nowhere", 50)
