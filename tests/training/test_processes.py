"""Training in several processes tells its progress and gives the model that one process would; GPUs are counted, not had."""

import numpy as np
import pytest
import torch

from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.processes import processes_for, train_in_processes

SMALL = TrainingConfig(method_config={"network": {"base": 16, "multipliers": [1, 2], "blocks": 1}, "shared_noise": True}, steps=4, batch=4,
                       checkpoint_every=2, seed=5)  # fmt: skip


def test_two_processes_tell_what_one_tells_and_make_the_same_model(tiny_cache, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    told, weights = {}, {}
    for count in (1, 2):
        told[count] = []
        artefact = train_in_processes(
            count, SMALL, tiny_cache, tmp_path / str(count), start=tiny_model, every=2, told=lambda step, loss: told[count].append((step, loss))
        )
        weights[count] = torch.cat([weight.flatten() for _, weight in sorted(artefact.weights.items())])
        assert artefact.provenance["processes"] == count and artefact.provenance["started_from"]
    assert [step for step, _ in told[1]] == [step for step, _ in told[2]] == [2, 4]
    assert all(np.isfinite(loss) for _, loss in told[2])
    torch.testing.assert_close(weights[2], weights[1], atol=1e-3, rtol=0)


@pytest.mark.parametrize(("gpus", "batch", "processes"), [(0, 8, 1), (1, 8, 1), (4, 8, 4), (3, 8, 2), (8, 12, 6), (2, 3, 1)])
def test_as_many_gpus_are_used_as_can_share_the_batch(monkeypatch, gpus, batch, processes):
    # There is no GPU here, so their number is put in its place.
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert processes_for(SMALL.model_copy(update={"batch": batch})) == processes
