"""A whole training on a datastore of one scan under several names: it works, its numbers mean nothing."""

import gzip

import pytest

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.serving.durable_datastore import DurableDatastore
from umaddpm_core.serving.retraining.cohort import healthy_cohort
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.serving.retraining.run import retrain
from umaddpm_core.serving.retraining.versions import Versions

PARTS = ["training"] * 4 + ["validation", "test", "test"]


@pytest.fixture(scope="module")
def datastore(small_scan, tmp_path_factory):
    """Seven healthy people, one patient, and one whose scan says nothing of its sequence."""
    folder = tmp_path_factory.mktemp("studies")
    content = gzip.decompress(small_scan.read_bytes())
    for name in (*(f"P{i}-T1" for i in range(len(PARTS))), "patient-T1", "unknown"):
        (folder / f"{name}.nii.gz").write_bytes(gzip.compress(content, 1))
    datastore = DurableDatastore(str(folder))
    for i, part in enumerate(PARTS):
        datastore.update_image_info(f"P{i}-T1", {"cohort": "healthy", "subject": f"P{i}", "part": part})
    datastore.update_image_info("unknown", {"cohort": "healthy"})
    return datastore


def request(**changes):
    settings = {"max_epochs": 2, "steps_per_epoch": 2, "batch": 4, "workers": 0, "by": "IT", **changes}
    return RetrainingRequest.of({"model": "uma_ddpm", "client_id": "Slicer", **settings})


def test_the_cohort_is_who_was_called_healthy(datastore, tmp_path):
    scans, left_out = healthy_cohort(datastore)
    assert [scan.name for scan in scans] == [f"P{i}-T1" for i in range(len(PARTS))] and [scan.part for scan in scans] == PARTS
    assert "say `modality`" in left_out["unknown"] and "patient-T1" not in left_out
    with pytest.raises(InputError, match="called healthy"):
        healthy_cohort(DurableDatastore(str(tmp_path)))


def test_a_model_is_trained_judged_and_published_or_not(datastore, tiny_model, tmp_path):
    versions, lines, figures = Versions(tmp_path / "models", "uma_ddpm"), [], []

    def tell(line, told):
        lines.append(line)
        figures.append(told)

    first = retrain(datastore, tiny_model, versions, tmp_path / "work", request(publish="always"), tell)
    assert first["published"] == "uma_ddpm-v1" and "unknown" in first["left_out"]
    assert [line.split(":")[0] for line in lines if line.startswith("epoch")] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert figures[lines.index(next(line for line in lines if line.startswith("epoch 2")))]["total_epochs"] == 2
    published = Artefact.load(versions.in_use())
    assert published.calibration["T1"]["score"] == Artefact.load(tiny_model).calibration["T1"]["score"]
    assert published.provenance["started_from"] and published.preprocessing == Artefact.load(tiny_model).preprocessing
    entry = versions.history()[-1]
    assert entry["by"] == "IT" and entry["override"] is not first["judgement"]["passed"]
    assert {one["figure"] for one in first["judgement"]["comparisons"]["T1"]} == {"dice", "average_precision", "findings"}
    assert not list((tmp_path / "work").glob("run-*")), "what is judged needs no checkpoint any more"


def test_too_few_people_are_one_sentence(datastore, tiny_model, tmp_path):
    few = DurableDatastore(str(datastore._datastore_path))
    try:
        few.update_image_info("P4-T1", {"cohort": "other"})
        with pytest.raises(InputError, match="validation part has 0 healthy people in T1"):
            retrain(few, tiny_model, Versions(tmp_path / "models", "uma_ddpm"), tmp_path / "work", request(), lambda *_: None)
    finally:
        few.update_image_info("P4-T1", {"cohort": "healthy"})
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(("change", "words"), [({"max_epochs": 0}, "max_epochs"), ({"lr": 1}, "lr"), ({"publish": "yes"}, "publish"), ({"name": 3}, "name")])
def test_a_wrong_request_is_one_sentence(change, words):
    with pytest.raises(InputError, match=f"cannot begin: {words}"):
        request(**change)
