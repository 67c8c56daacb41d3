"""A scan is taken out of what trainings keep, and others stay."""

import json

import torch

from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.serving.retraining.forgetting import forget_scan


def test_prepared_volumes_and_every_mention_go(tmp_path):
    cache, run = tmp_path / "cache-1", tmp_path / "run-1"
    run.mkdir()
    scans = [CachedScan(f"{subject}-{modality}", subject, modality, "training") for subject in ("ann", "bob") for modality in ("T1", "T2")]
    for scan in scans:
        write_volume(cache, scan.name, torch.rand(1, 8, 8, 8))
    write_settings(cache, "datastore", {}, {})
    write_index(cache, scans)
    (cache / "failures.csv").write_text("scan,reason\nann-T1,It is damaged.\nbob-T1,It is damaged.\n")
    (tmp_path / "people.json").write_text(json.dumps({"ann": "training", "bob": "test"}))
    (tmp_path / "statistics.json").write_text(json.dumps({"epoch": 3, "left_out": {"image-1": "Why.", "ann-T1": "Why.", "bob-T1": "Why."}}))

    def names():
        return [scan.name for scan in ArrayCache(cache).scans()], sorted(file.stem for file in (cache / "volumes").iterdir())

    assert forget_scan(tmp_path, "image-1", {"subject": "ann", "modality": "T1"}, last_of_person=False)
    assert names() == (["ann-T2", "bob-T1", "bob-T2"],) * 2
    assert json.loads((tmp_path / "people.json").read_text()) == {"ann": "training", "bob": "test"} and not run.exists()
    assert (cache / "failures.csv").read_text().splitlines() == ["scan,reason", "bob-T1,It is damaged."]
    assert forget_scan(tmp_path, "image-2", {"subject": "ann"}, last_of_person=True)
    assert names() == (["bob-T1", "bob-T2"],) * 2
    assert json.loads((tmp_path / "people.json").read_text()) == {"bob": "test"}
    assert json.loads((tmp_path / "statistics.json").read_text()) == {"epoch": 3, "left_out": {"bob-T1": "Why."}}
    assert forget_scan(tmp_path, "image-2", {"subject": "ann"}, last_of_person=True) == []
    assert forget_scan(tmp_path / "nowhere", "image-2", {}, last_of_person=True) == []
