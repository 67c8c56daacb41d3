"""Which model files are offered, and what is said of those that are not."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from umaddpm_core.artefact import METADATA_KEY, Artefact
from umaddpm_core.detection.models import shipped_models
from umaddpm_core.errors import InputError
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.versions import HISTORY, Versions


@pytest.fixture
def catalogue(tiny_model, tmp_path):
    return Catalogue(tmp_path, str(tiny_model))


def test_every_model_file_is_offered_and_the_servers_own_is_the_default(catalogue, tiny_model):
    shutil.copy(tiny_model, catalogue.folder / "other.safetensors")
    (catalogue.folder / ".17.coming.safetensors").write_bytes(b"half written")
    assert set(catalogue.usable()) == {*shipped_models(), "other", "tiny"} and catalogue.broken() == {}
    assert catalogue.default().path == tiny_model and catalogue.find("other").name == "other"


def test_a_description_says_what_a_model_is_for_and_what_its_thresholds_cost(catalogue, tiny_model):
    told = catalogue.find("tiny").as_dict()
    assert told["method"] == "uma_ddpm" and told["modalities"] == ["T1"] and told["weights"] == Artefact.load(tiny_model).digest()
    calibrated = told["thresholds"]["T1"]["calibrated"]
    assert told["thresholds"]["T1"]["default"] in calibrated
    for threshold in calibrated.values():
        assert threshold["found"] and 0 <= threshold["healthy_scans_with_findings"] <= 1
    assert told["provenance"]["steps"] == 20 and "subjects" not in told["provenance"]


def newer(path):
    description = {"format": 99, "method": "uma_ddpm", "config": {}}
    save_file(load_file(path), path, metadata={METADATA_KEY: json.dumps(description)})


def of_an_unknown_method(path):
    artefact = Artefact.load(path)
    artefact.method = "oracle"
    artefact.save(path)


BREAKAGES = {
    "not a readable model file": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "not a model of this program": lambda path: save_file(load_file(path), path),
    "newer version": newer,
    "no method 'oracle'": of_an_unknown_method,
}


@pytest.mark.parametrize("reason", BREAKAGES)
def test_a_broken_file_is_told_with_its_reason_and_not_offered(catalogue, tiny_model, reason):
    path = catalogue.folder / "broken.safetensors"
    shutil.copy(tiny_model, path)
    assert "broken" in catalogue.usable()
    BREAKAGES[reason](path)
    assert "broken" not in catalogue.usable() and reason in catalogue.broken()["broken"]
    with pytest.raises(InputError, match=reason):
        catalogue.find("broken")


def test_a_model_without_calibration_is_broken(catalogue, uncalibrated):
    shutil.copy(uncalibrated, catalogue.folder)
    assert "not calibrated" in catalogue.broken()["raw"]


def test_the_version_in_use_is_the_default_and_a_broken_one_gives_way_to_the_servers_own(catalogue, tiny_model):
    versions = Versions(catalogue.folder, "uma_ddpm")
    version = versions.publish(tiny_model, {})
    assert catalogue.default().name == version == "uma_ddpm-v1"
    versions.use(None)
    assert catalogue.default().path == tiny_model
    versions.use(version)
    versions.in_use().write_bytes(b"junk")
    assert catalogue.default().path == tiny_model and "uma_ddpm-v1" in catalogue.broken()
    (catalogue.folder / "uma_ddpm-v1.safetensors").unlink()
    assert catalogue.default().path == tiny_model and "not there any more" in catalogue.broken()["uma_ddpm in use"]
    (catalogue.folder / HISTORY).write_text("{")
    assert catalogue.default().path == tiny_model and "history" in catalogue.broken()["uma_ddpm in use"]


def test_a_model_that_was_published_under_another_name_is_found_by_it(catalogue, tiny_model):
    versions = Versions(catalogue.folder, "children")
    versions.publish(tiny_model, {})
    versions.publish(tiny_model, {})
    assert catalogue.find("children").name == "children-v2" and catalogue.default().path == tiny_model
    with pytest.raises(InputError, match="no model 'adults'"):
        catalogue.find("adults")
