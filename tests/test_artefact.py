"""The model file."""

import json

import pytest
import torch
from safetensors.torch import save_file

from umaddpm_core.artefact import METADATA_KEY, Artefact
from umaddpm_core.errors import InputError


@pytest.fixture
def artefact():
    return Artefact("uma_ddpm", {"a": 1}, {"w": torch.arange(4.0), "n": torch.tensor(3)}, ["T1"], {"T1": {"score": "dark"}}, {"seed": 0})


def test_comes_back_as_it_was(artefact, tmp_path):
    back = Artefact.load(artefact.save(tmp_path / "m.safetensors"))
    assert torch.equal(back.weights["w"], artefact.weights["w"]) and back.weights["n"] == 3
    assert (back.method, back.config, back.calibration, back.provenance) == ("uma_ddpm", {"a": 1}, {"T1": {"score": "dark"}}, {"seed": 0})
    assert "CC BY-SA 3.0" in back.licence


def test_half_precision_halves_the_file(artefact, tmp_path):
    artefact.weights["w"] = torch.randn(100_000)
    whole, half = artefact.save(tmp_path / "a.safetensors"), artefact.save(tmp_path / "b.safetensors", torch.float16)
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    assert torch.allclose(Artefact.load(half).weights["w"], artefact.weights["w"], atol=5e-3)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x80\x04pickle"])
def test_refuses_what_is_no_model(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="x.safetensors"):
        Artefact.load(path)


def test_refuses_a_truncated_file(artefact, tmp_path):
    path = artefact.save(tmp_path / "m.safetensors")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="truncated"):
        Artefact.load(path)


def test_refuses_a_strangers_safetensors_and_a_newer_format(tmp_path):
    save_file({"w": torch.zeros(1)}, tmp_path / "stranger.safetensors")
    with pytest.raises(InputError, match="not a model of this program"):
        Artefact.load(tmp_path / "stranger.safetensors")
    save_file({"w": torch.zeros(1)}, tmp_path / "new.safetensors", metadata={METADATA_KEY: json.dumps({"format": 99, "method": "x", "config": {}})})
    with pytest.raises(InputError, match="newer"):
        Artefact.load(tmp_path / "new.safetensors")


def test_a_failed_save_leaves_the_old_file(artefact, tmp_path):
    path = artefact.save(tmp_path / "m.safetensors")
    artefact.config = {"unserialisable": object()}
    with pytest.raises(TypeError):
        artefact.save(path)
    assert Artefact.load(path).config == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
