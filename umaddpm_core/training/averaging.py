"""The average of the weights over a training run, which is what is shipped."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

WARM_UP = 10


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """The rule of an exponential moving average for `torch.optim.swa_utils.AveragedModel`.

    Its decay rises: after n updates it is at most (1 + n) / (10 + n), as TensorFlow's, so that the random weights of the
    start do not stay in the average of a short run.
    """

    def averaged(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        kept = min(decay, (1 + int(updates)) / (WARM_UP + int(updates)))
        return average + (current - average) * (1 - kept)

    return averaged
