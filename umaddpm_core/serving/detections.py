"""Detections with the models of one server process, and the last ones made."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.memory import Memory, configured_megabytes
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.described import DescribedModel
from umaddpm_core.serving.models.loaded import LoadedModels
from umaddpm_core.serving.parameters import Parameters

if TYPE_CHECKING:
    from umaddpm_core.detection import Detection, Detector

MODEL_VARIABLE = "UMADDPM_MODEL"
"""Environment variable with the model that the server uses unless a request names another: a path or a name."""

logger = logging.getLogger(__name__)


class Detections:
    """Runs detections, and answers from memory where only threshold or format differ from an earlier one.

    Args:
        catalogue: of the models.

    Nothing is loaded before `warm_up` or the first detection. How many detections run at once is up to the caller.
    Where another model is put in use, the next request has it, and the one before is let go of.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._loaded = LoadedModels()
        self._memory = Memory(configured_megabytes())
        self._default: DescribedModel | None = None

    def warm_up(self) -> None:
        """Load the default model, so that a server with a model it cannot read says so before it serves.

        Raises:
            InputError: the model cannot be read.
        """
        for name, reason in self.catalogue.broken().items():
            logger.warning("The model %s cannot be used: %s", name, reason)
        self._detector(None)

    @property
    def is_warm(self) -> bool:
        """Whether a default model is loaded."""
        return self._default is not None

    def renew_aside(self) -> None:
        """Where another model was put in use since the last request, load it in a thread of its own."""
        if self._default is None or self._loaded.holds(model := self.catalogue.default()):
            return
        workers = range(self._loaded.workers)
        threading.Thread(target=lambda: [self._detector(None, worker) for worker in workers], name=f"load {model.name}", daemon=True).start()

    def describe(self) -> dict[str, Any]:
        """Names of the models, why others cannot be used, and the modalities and thresholds of the default one; nothing before
        the first model is loaded."""
        if not self.is_warm:
            return {}
        self.renew_aside()
        default = self.catalogue.default()
        return {
            "models": sorted(self.catalogue.usable()),
            "models_broken": self.catalogue.broken(),
            "default_model": default.name,
            "modalities": default.modalities,
            "thresholds": list(default.thresholds(default.modalities[0])),
        }

    def detect(
        self,
        scan: Path,
        parameters: Parameters,
        cancelled: Callable[[], bool] | None = None,
        progress: Callable[[float, str], None] | None = None,
        worker: int = 0,
    ) -> Detection:
        """The detection in `scan`, from memory where it was made before, at whatever threshold.

        Args:
            scan: file or DICOM folder.
            parameters: of the request.
            cancelled: asked whether to stop.
            progress: as for `Detector.detect`; told nothing where the answer comes from memory.
            worker: number of the thread that asks; each has models of its own, and its GPU where there are several.

        Raises:
            InputError: unknown model, modality, score or threshold, or a scan that cannot be examined.
            Cancelled: `cancelled` returned true.
        """
        model, detector = self._detector(parameters.model, worker)
        question = (_fingerprint(scan), model.path, model.state, parameters.series, parameters.modality, parameters.score)
        with self._memory.asking(question, cancelled):
            known = self._memory.get(question)
            if known is None:
                detection = detector.detect(
                    scan,
                    series=parameters.series,
                    modality=parameters.modality,
                    score=parameters.score,
                    threshold=parameters.threshold,
                    progress=progress,
                    cancelled=cancelled,
                )
            elif known[0] == parameters.threshold:
                detection = known[1]
            else:
                detection = detector.rethreshold(known[1], parameters.threshold)
            self._memory.keep(question, parameters.threshold, detection)
            return detection

    def _detector(self, name: str | None, worker: int = 0) -> tuple[DescribedModel, Detector]:
        model = self.catalogue.find(name)
        try:
            detector = self._loaded.get(model, worker)
        except InputError as error:
            self.catalogue.failed(model, str(error))
            if name is not None or self.catalogue.default() == model:
                raise
            logger.error("The model in use cannot be loaded, so the server's own takes its place: %s", error)
            return self._detector(None, worker)
        if name is None:
            before, self._default = self._default, model
            if before not in (None, model):
                self._loaded.let_go(before)
        return model, detector


def configured_default() -> str | None:
    """The model named by the environment, or None for the shipped default."""
    return os.environ.get(MODEL_VARIABLE, "").strip() or None


def _fingerprint(scan: Path) -> str:
    """Digest of the name and content of a scan file, or of every file of a DICOM folder.

    The name belongs to it because the modality may be read from it; the path does not, so the same file uploaded
    twice is the same scan.
    """
    digest = hashlib.blake2b(scan.name.encode())
    for file in sorted(scan.rglob("*")) if scan.is_dir() else [scan]:
        if file.is_file():
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
