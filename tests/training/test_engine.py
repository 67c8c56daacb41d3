"""Training: repeatable, resumable, and without any imaging library."""

import subprocess
import sys
import textwrap

import pytest
import torch
import yaml

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import CachedScan
from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.errors import InputError
from umaddpm_core.training.augmentation import augmented, recontrasted
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.engine import train
from umaddpm_core.training.module import learning_rate_factor
from umaddpm_core.training.slices import SliceBatches, chances

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
    batches = SliceBatches(tiny_cache, scans, 4, 10, seed=1)
    assert torch.equal(batches[7]["image"], batches.part(first=5)[2]["image"])
    assert not torch.equal(batches[7]["image"], batches[8]["image"])
    assert not torch.equal(batches[7]["image"], SliceBatches(tiny_cache, scans, 4, 10, seed=2)[7]["image"])


def test_processes_share_a_batch(tiny_cache):
    whole = SliceBatches(tiny_cache, tiny_cache.scans("training"), 6, 10, seed=1)
    parts = [whole.part(process=process, processes=3)[4] for process in range(3)]
    for key in ("image", "sample"):
        assert torch.equal(torch.cat([part[key] for part in parts]), whole[4][key])


def test_sequences_are_drawn_alike_and_real_scans_more_often():
    scans = [CachedScan(f"{i}", f"{i}", modality, "training", synthetic=i > 5) for i, modality in enumerate(["T1"] * 5 + ["T2"] * 5)]
    drawn = chances(scans, real_weight=4)
    assert drawn[:5].sum().item() == pytest.approx(0.5) and drawn[5:].sum().item() == pytest.approx(0.5)
    assert (drawn[5] / drawn[6]).item() == pytest.approx(4)


def test_augmentation_keeps_the_range_and_the_background(tiny_cache):
    image = SliceBatches(tiny_cache, tiny_cache.scans("training"), 16, 1, seed=0)[0]["image"]
    changed = augmented(image, Draws.of(0, torch.arange(16)))
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.equal(image, changed)
    assert ((changed > 0).float().mean() / (image > 0).float().mean()).item() == pytest.approx(1, abs=0.15)


def test_another_contrast_keeps_the_ends_and_the_order():
    grey = torch.linspace(0, 1, 50).view(1, 1, 1, -1)
    one = torch.ones(1, 1, 1, 1)
    changed = recontrasted(grey, 1.6 * one, 0.7 * one)
    assert changed[..., 0] == 0 and changed[..., -1] == 1 and (changed.diff() > 0).all()
    assert torch.allclose(recontrasted(grey, one, one), grey, atol=1e-6)


def test_the_learning_rate_rises_stays_and_falls():
    config = TrainingConfig(steps=1000, warm_up=0.1, decay=0.4)
    factors = [learning_rate_factor(config, step) for step in (0, 99, 100, 599, 800, 1000)]
    assert factors[0] < 0.02 and factors[1] < 1 and factors[2] == factors[3] == 1
    assert factors[4] == pytest.approx(0.505, abs=1e-3) and factors[5] == pytest.approx(0.01)


def test_a_folder_with_another_run_is_refused_and_left_alone(tiny_cache, tmp_path):
    train(CONFIG, tiny_cache, tmp_path, quiet=True)
    before = (tmp_path / "last.ckpt").read_bytes()
    with pytest.raises(InputError, match="other settings \\(learning rate\\).*--no-resume"):
        train(CONFIG.model_copy(update={"learning_rate": 1e-5}), tiny_cache, tmp_path, quiet=True)
    assert (tmp_path / "last.ckpt").read_bytes() == before
    train(CONFIG.model_copy(update={"steps": 12}), tiny_cache, tmp_path, quiet=True)
    with pytest.raises(InputError, match="has done 12 steps already"):
        train(CONFIG, tiny_cache, tmp_path, quiet=True)
    (tmp_path / "last.ckpt").write_bytes(before[: len(before) // 2])
    with pytest.raises(InputError, match="is damaged"):
        train(CONFIG, tiny_cache, tmp_path, quiet=True)


def test_a_gpu_that_is_not_there_is_refused_in_a_sentence(tiny_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # also where there is one
    with pytest.raises(InputError, match="There is no GPU"):
        train(CONFIG, tiny_cache, tmp_path, device="cuda", quiet=True)


def test_a_full_disk_costs_the_checkpoint_and_not_the_one_before(tiny_cache, tmp_path):
    """The operating system's own refusal to write more, by a limit on the size of files."""
    train(CONFIG.model_copy(update={"steps": 4}), tiny_cache, tmp_path, quiet=True)
    before = (tmp_path / "last.ckpt").read_bytes()
    program = f"""
        import resource, signal, sys
        from pathlib import Path
        from umaddpm_core.cli import main
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        sys.argv = ["umaddpm", "train", {str(write_experiment(tmp_path))!r}, "--cache", {str(tiny_cache.folder)!r}, "-o", {str(tmp_path)!r}]
        main.main()
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2 and ended.stderr.strip().splitlines()[-1].startswith("umaddpm: "), ended.stderr[-2000:]
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "last.ckpt").read_bytes() == before and not (tmp_path / "model.safetensors").read_bytes() == b""


def write_experiment(folder):
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(CONFIG.model_dump(mode="json")))
    return path


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


def test_trains_in_bfloat16(tiny_cache, tmp_path):
    artefact = train(CONFIG.model_copy(update={"precision": "bf16-mixed", "steps": 4}), tiny_cache, tmp_path, quiet=True)
    assert all(weights.dtype == torch.float32 and torch.isfinite(weights).all() for weights in artefact.weights.values())
