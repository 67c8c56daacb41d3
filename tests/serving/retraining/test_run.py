"""A training on a datastore of one scan under several names: whom it learns from, and what it publishes."""

import json
from contextlib import ExitStack

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.durable_datastore import DurableDatastore
from umaddpm_core.serving.models.candidate import Candidate
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.versions import Versions
from umaddpm_core.serving.retraining.cohort import healthy_cohort
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.serving.retraining.run import retrain
from umaddpm_core.serving.retraining.trainings import Trainings
from umaddpm_core.serving.security.audit_log import AuditLog


@pytest.fixture(scope="module")
def datastore(people, small_scan, tmp_path_factory):
    """Seven healthy people, one patient, and one whose scan says nothing of its sequence."""
    folder = tmp_path_factory.mktemp("studies")
    cohort = people(folder)
    for name in ("patient-T1", "unknown"):
        (folder / f"{name}.nii.gz").write_bytes(small_scan.read_bytes())
    datastore = DurableDatastore(str(folder))
    for image, info in cohort.items():
        datastore.update_image_info(image, info)
    datastore.update_image_info("unknown", {"cohort": "healthy"})
    return datastore


def request(**changes):
    settings = {"max_epochs": 2, "steps_per_epoch": 2, "batch": 4, "workers": 0, "by": "IT", **changes}
    return RetrainingRequest.of({"model": "uma_ddpm", "client_id": "Slicer", **settings})


def test_the_cohort_is_who_was_called_healthy(datastore, tmp_path):
    scans, left_out = healthy_cohort(datastore, ExitStack())
    assert [scan.name for scan in scans] == [f"P{i}-T1" for i in range(7)]
    assert [scan.part for scan in scans] == ["training"] * 4 + ["validation", "test", "test"]
    assert "say `modality`" in left_out["unknown"] and "patient-T1" not in left_out
    with pytest.raises(InputError, match="called healthy"):
        healthy_cohort(DurableDatastore(str(tmp_path)), ExitStack())


def test_one_that_is_not_worse_is_published_and_recorded(datastore, quick_model, tmp_path, capsys):
    """Twice the same weights, as the steps are too small to change them; the first time there is nothing to compare with."""
    model = quick_model("vae", ["T2"], base=4, latent=8)
    audit = tmp_path / "audit.jsonl"
    trainings = Trainings(Catalogue(tmp_path / "models", str(model)), tmp_path / "work", AuditLog(audit, 10_000))
    settings = {"max_epochs": 2, "steps_per_epoch": 2, "batch": 4, "workers": 0, "learning_rate": 1e-12, "modalities": ["T1"], "by": "IT"}
    first = trainings.run({**settings, "publish": "always"}, datastore)
    assert first["published"] == "uma_ddpm-v1" and "unknown" in first["left_out"] and not first["judgement"]["passed"]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed if line.startswith("epoch")] == ["epoch 1 of 2", "epoch 2 of 2"]
    second = trainings.run(settings, datastore)
    assert second["judgement"]["passed"] and second["published"] == "uma_ddpm-v2", second
    told = trainings.stats()
    assert told["in_use"] == "uma_ddpm-v2" and told["judged_against"] == "uma_ddpm-v1" and told["candidate"] is None
    assert [entry["override"] for entry in told["history"]] == [True, False]
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(line["who"], line["action"], line["model"]) for line in lines] == [("IT", "published", f"uma_ddpm-v{n}") for n in (1, 2)]


def test_too_few_people_are_one_sentence(datastore, tiny_model, tmp_path):
    few = DurableDatastore(str(datastore._datastore_path))
    try:
        few.update_image_info("P4-T1", {"cohort": "other"})
        with pytest.raises(InputError, match="validation part has 0 healthy people in T1"):
            versions, candidate = Versions(tmp_path / "models", "uma_ddpm"), Candidate(tmp_path / "candidate.safetensors")
            retrain(few, tiny_model, versions, candidate, tmp_path / "work", request(), lambda *_: None)
    finally:
        few.update_image_info("P4-T1", {"cohort": "healthy"})
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(("change", "words"), [({"max_epochs": 0}, "max_epochs"), ({"lr": 1}, "lr"), ({"publish": "yes"}, "publish"), ({"name": 3}, "name")])
def test_a_wrong_request_is_one_sentence(change, words):
    with pytest.raises(InputError, match=f"cannot begin: {words}"):
        request(**change)
