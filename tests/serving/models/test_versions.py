"""Versions of a model: published, put in use, rolled back, and safe against a crash."""

import pytest
import torch
from soak.kills.publisher import kill_publisher

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.serving.models.versions import Versions


@pytest.fixture
def model(tmp_path):
    artefact = Artefact("intensity", {}, {"weight": torch.zeros(2)}, ["T1"])
    artefact.calibration = {"T1": {"score": "both"}}
    return artefact.save(tmp_path / "new.safetensors")


@pytest.fixture
def versions(tmp_path):
    return Versions(tmp_path / "models", "uma_ddpm")


def test_nothing_published_means_the_servers_own_model(versions):
    assert versions.in_use() is None and versions.published() == {} and versions.history() == []
    with pytest.raises(InputError, match="nothing to go back to"):
        versions.roll_back()


def test_published_models_count_up_and_are_kept(versions, model):
    assert [versions.publish(model, {"by": who}) for who in "ab"] == ["uma_ddpm-v1", "uma_ddpm-v2"]
    assert versions.in_use() == versions.folder / "uma_ddpm-v2.safetensors"
    assert versions.in_use().read_bytes() == model.read_bytes()
    assert [entry["by"] for entry in versions.history()] == ["a", "b"] and list(versions.published()) == ["uma_ddpm-v1", "uma_ddpm-v2"]


def test_rolling_back_goes_to_what_was_there_before(versions, model):
    for _ in range(3):
        versions.publish(model, {})
    versions.use("uma_ddpm-v1")
    versions.publish(model, {})
    assert versions.roll_back() == "uma_ddpm-v1"
    assert versions.roll_back({"by": "IT"}) is None and versions.in_use() is None
    assert versions.history()[-1]["action"] == "rolled back" and versions.history()[-1]["by"] == "IT"
    assert len(versions.published()) == 4, "no version is deleted"


def test_what_is_no_model_is_not_published(versions, model, tmp_path):
    versions.publish(model, {})
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"junk")
    raw = Artefact("intensity", {}, {"weight": torch.zeros(2)}, ["T1"]).save(tmp_path / "raw.safetensors")
    for path in (junk, raw):
        with pytest.raises(InputError):
            versions.publish(path, {})
    with pytest.raises(InputError, match="no version 'uma_ddpm-v7'"):
        versions.use("uma_ddpm-v7")
    with pytest.raises(InputError, match="cannot be called"):
        Versions(tmp_path, "../elsewhere")
    assert list(versions.published()) == ["uma_ddpm-v1"] and len(versions.history()) == 1


def test_models_of_other_names_do_not_count(versions, model):
    Versions(versions.folder, "uma").publish(model, {})
    (versions.folder / "uma_ddpm-vx.safetensors").write_bytes(model.read_bytes())
    assert versions.published() == {} and versions.publish(model, {}) == "uma_ddpm-v1"


@pytest.mark.parametrize("seconds", [0.03, 0.17])
def test_killed_at_any_moment_the_version_in_use_is_whole(versions, model, seconds):
    assert kill_publisher(versions, model, seconds) == []
    assert versions.history()
