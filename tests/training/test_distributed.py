"""Two processes train as one does with the same batch."""

import os
import subprocess
import sys

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EXPERIMENT = {
    "method_config": {"network": {"base": 16, "multipliers": [1, 2], "blocks": 1}, "shared_noise": True},
    "steps": 12,
    "batch": 4,
    "checkpoint_every": 3,
    "seed": 5,
}


def losses(folder):
    events = EventAccumulator(str(next(folder.glob("events/version_*"))))
    events.Reload()
    return {e.step: e.value for e in events.Scalars("training/loss")}


def command(experiment, cache, output):
    return ["-m", "umaddpm_core.cli", "train", str(experiment), "--cache", str(cache.folder), "-o", str(output), "--device", "cpu"]


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(EXPERIMENT))
    return path


def test_two_processes_have_the_loss_curve_of_one(tiny_cache, experiment, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *command(experiment, tiny_cache, tmp_path / "one")], check=True, env=environment, timeout=300)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*torchrun, *command(experiment, tiny_cache, tmp_path / "two")], check=True, env=environment, timeout=300)
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) >= 4 and one.keys() == two.keys()
    assert all(two[step] == pytest.approx(loss, abs=1e-4) for step, loss in one.items())
    assert (tmp_path / "two" / "model.safetensors").exists()


def test_a_batch_that_cannot_be_shared_is_refused_in_a_sentence(tiny_cache, experiment, tmp_path):
    experiment.write_text(yaml.safe_dump({**EXPERIMENT, "batch": 5}))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = subprocess.run([*torchrun, *command(experiment, tiny_cache, tmp_path / "two")], capture_output=True, text=True, timeout=300)
    assert ended.returncode != 0 and "umaddpm: A batch of 5 slices cannot be shared by 2 processes" in ended.stderr
