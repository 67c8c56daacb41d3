"""Training: repeatable, resumable, and without any imaging library."""

import subprocess
import sys
import textwrap

import pytest
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.training.augmentation import augmented
from umaddpm_core.training.config import TrainingConfig, find_config
from umaddpm_core.training.engine import learning_rate_factor, train
from umaddpm_core.training.slices import SliceBatches

CONFIG = TrainingConfig(
    method_config={"network": {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4, "narrow_up": True}},
    steps=8,
    batch=2,
    checkpoint_every=4,
)


def test_a_run_that_was_killed_goes_on_to_the_same_weights(tiny_cache, tmp_path, monkeypatch):
    whole = train(CONFIG, tiny_cache, tmp_path / "whole", quiet=True)
    batch = SliceBatches.__getitem__

    def killed_at_the_seventh(self, index):
        if self.first + index == 6 and len(self) == CONFIG.checkpoint_every:
            raise RuntimeError("killed")
        return batch(self, index)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(SliceBatches, "__getitem__", killed_at_the_seventh)
        train(CONFIG, tiny_cache, tmp_path / "parts", quiet=True)
    assert not (tmp_path / "parts" / "model.safetensors").exists()
    parts = train(CONFIG, tiny_cache, tmp_path / "parts", quiet=True)
    assert all(torch.allclose(parts.weights[name], tensor, atol=1e-6) for name, tensor in whole.weights.items())


def test_a_run_that_is_done_stays_as_it_is(tiny_cache, tmp_path):
    first = train(CONFIG, tiny_cache, tmp_path, quiet=True)
    again = train(CONFIG, tiny_cache, tmp_path, quiet=True)
    assert all(torch.equal(again.weights[name], tensor) for name, tensor in first.weights.items())


def test_training_can_start_from_a_model(tiny_model, tiny_cache, tmp_path):
    start = Artefact.load(tiny_model)
    again = train(CONFIG.model_copy(update={"steps": 1, "learning_rate": 1e-9}), tiny_cache, tmp_path, start=start, quiet=True)
    assert all(torch.allclose(again.weights[name], weights, atol=1e-3) for name, weights in start.weights.items())
    assert again.provenance["started_from"]["steps"] == 20
    start.method = "intensity"
    with pytest.raises(InputError, match="cannot be the start"):
        train(CONFIG, tiny_cache, tmp_path / "other", start=start, quiet=True)


def test_the_artefact_says_where_it_comes_from(tiny_model):
    provenance = Artefact.load(tiny_model).provenance
    assert provenance["subjects"] == ["S0", "S1", "S2", "S3"], "training people only"
    assert (provenance["steps"], provenance["slices"], provenance["seed"]) == (20, 80, 0)
    assert provenance["cohort"] == "one sample scan" and provenance["package_version"]


def test_batches_are_determined_by_seed_and_number(tiny_cache):
    scans = tiny_cache.scans("training")
    batches = SliceBatches(tiny_cache, scans, 4, 0, 10, seed=1)
    assert torch.equal(batches[7]["image"], batches.starting_at(5, 3)[2]["image"])
    assert not torch.equal(batches[7]["image"], batches[8]["image"])
    assert not torch.equal(batches[7]["image"], SliceBatches(tiny_cache, scans, 4, 0, 10, seed=2)[7]["image"])


def test_augmentation_keeps_the_range_and_the_background(tiny_cache):
    image = SliceBatches(tiny_cache, tiny_cache.scans("training"), 16, 0, 1, seed=0)[0]["image"]
    changed = augmented(image, torch.Generator().manual_seed(0))
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.equal(image, changed)
    assert ((changed > 0).float().mean() / (image > 0).float().mean()).item() == pytest.approx(1, abs=0.15)


def test_the_learning_rate_rises_stays_and_falls():
    config = TrainingConfig(steps=1000, warm_up=0.1, decay=0.4)
    factors = [learning_rate_factor(config, step) for step in (0, 99, 100, 599, 800, 1000)]
    assert factors[0] < 0.02 and factors[1] < 1 and factors[2] == factors[3] == 1
    assert factors[4] == pytest.approx(0.505, abs=1e-3) and factors[5] == pytest.approx(0.01)


def test_a_wrong_configuration_gets_one_sentence(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("stepz: 5\n")
    with pytest.raises(InputError, match="wrong.yaml is wrong at stepz"):
        find_config(str(wrong))
    with pytest.raises(InputError, match="shipped are"):
        find_config("nonesuch")
    assert find_config("uma_ddpm_T1_compact").method == "uma_ddpm"


def test_trains_from_the_cache_without_imaging_libraries(tiny_cache, tmp_path):
    program = f"""
        import sys
        for name in ("SimpleITK", "nibabel", "monailabel"):
            sys.modules[name] = None
        from pathlib import Path
        from umaddpm_core.data.cache import ArrayCache
        from umaddpm_core.training.config import TrainingConfig
        from umaddpm_core.training.engine import train
        config = TrainingConfig(method_config={CONFIG.method_config!r}, steps=1, batch=2, checkpoint_every=1)
        train(config, ArrayCache({str(tiny_cache.folder)!r}), Path({str(tmp_path)!r}), quiet=True)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=300)
    assert Artefact.load(tmp_path / "model.safetensors").method == "uma_ddpm"
