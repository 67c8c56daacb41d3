"""What every method is: built from a typed configuration, trained step by step, and able to repaint a volume."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel
from torch import Tensor, nn

from umaddpm_core.artefact import Artefact
from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.errors import Cancelled

Progress = Callable[[float], None]
"""Told the share of the work that is done, 0–1."""


class Method(nn.Module, ABC):
    """A detector's model of healthy anatomy: pure torch, no files, seeded.

    Attributes:
        name: under which it is registered.
        Config: its configuration class; `Config(**values)` validates.
        window: consecutive slices of one scan that stand together in a training batch.
        alternates: a training step gives gradients to some of the weights only.
        learned: weights are found by `training_step`; else the method is fitted in its own way.
    """

    name: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    window: ClassVar[int] = 1
    alternates: ClassVar[bool] = False
    learned: ClassVar[bool] = True

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def training_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """Losses of one batch; `loss` is what is minimised.

        Args:
            batch: `image` [B, 1, 96, 96] in [0, 1], zero outside the brain, and `brain`, boolean, of the same shape; in a
                training run also `step`, the number of the batch, and `progress`, the share of the run that is done.
            draws: of all random numbers of this step.
        """

    def validation_step(self, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
        """Losses of one batch as the method is used, without what only training does to it; arguments as `training_step`."""
        return self.training_step(batch, draws)

    @abstractmethod
    def reconstruct(
        self, volume: Tensor, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> Tensor:
        """The volume [1, 96, 96, S], values 0–1, as if it were healthy; same shape and range.

        Raises:
            Cancelled: `cancelled()` was true between two steps.
        """

    def artefact(self, **description: Any) -> Artefact:
        """This method as a model file; `description` fills the artefact's other fields."""
        return Artefact(method=self.name, config=self.config.model_dump(mode="json"), weights=self.state_dict(), **description)


def check_cancelled(cancelled: Callable[[], bool] | None) -> None:
    """Raise `Cancelled` where the caller asked to stop."""
    if cancelled is not None and cancelled():
        raise Cancelled
