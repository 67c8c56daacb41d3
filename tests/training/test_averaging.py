"""The average of the weights."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from umaddpm_core.training.averaging import moving_average


def after(updates: int, decay: float = 0.999) -> float:
    """The average of a weight that was 1 at the start and 0 ever since."""
    model = nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, avg_fn=moving_average(decay))
    for update in range(updates):
        nn.init.constant_(model.weight, 0.0 if update else 1.0)
        average.update_parameters(model)
    return float(average.module.weight)


def test_a_short_run_forgets_its_start():
    assert after(100) < 1e-6 < 0.9 < 0.999**100


def test_a_long_run_has_the_decay_asked_for():
    assert after(20, decay=0.5) == pytest.approx(0.5**11 * after(9, decay=0.5), rel=1e-3)
    average = moving_average(0.999)(torch.tensor(1.0), torch.tensor(0.0), 100_000)
    assert average == pytest.approx(0.999)
