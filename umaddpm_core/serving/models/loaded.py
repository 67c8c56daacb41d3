"""The models in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from umaddpm_core.serving.models.described import DescribedModel

if TYPE_CHECKING:
    from umaddpm_core.detection import Detector

KEPT = 2
"""Models kept in memory for every worker."""


class LoadedModels:
    """Detectors for every worker, the last used ones; each is loaded once, however many ask for it at the same time.

    While one is loaded, those that are in memory can be had.
    """

    def __init__(self) -> None:
        self.workers = 1
        self._changing = threading.Lock()
        self._kept: OrderedDict[tuple[int, DescribedModel], Future[Detector]] = OrderedDict()

    def get(self, model: DescribedModel, worker: int = 0) -> Detector:
        """The detector of a model, in memory from now on.

        Args:
            worker: number of the thread that asks; each has models of its own, and its GPU where there are several.

        Raises:
            InputError: it cannot be loaded.
        """
        from umaddpm_core.detection import Detector

        place = (worker, model)
        with self._changing:
            self.workers = max(self.workers, worker + 1)
            known = self._kept.get(place)
            coming = self._kept[place] = known or Future()
            self._kept.move_to_end(place)
            while len(self._kept) > KEPT * self.workers:
                self._kept.popitem(last=False)
        if known is None:
            try:
                coming.set_result(Detector.load(model.path, device=_device(worker)))
            except BaseException as error:
                with self._changing:
                    self._kept.pop(place, None)
                coming.set_exception(error)
        return coming.result()

    def holds(self, model: DescribedModel) -> bool:
        """Whether a model is in memory for every worker, or about to be."""
        with self._changing:
            return all((worker, model) in self._kept for worker in range(self.workers))

    def let_go(self, model: DescribedModel) -> None:
        """Forget a model; who uses it now keeps it until they are done."""
        with self._changing:
            for worker in range(self.workers):
                self._kept.pop((worker, model), None)


def _device(worker: int) -> str | None:
    """The GPU of a worker where there are several, else None for the detector's own choice."""
    import torch

    count = torch.cuda.device_count()
    return f"cuda:{worker % count}" if count > 1 else None
