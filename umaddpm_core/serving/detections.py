"""The models of one server process, and the last detections made with them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.memory import Memory, configured_megabytes
from umaddpm_core.serving.parameters import Parameters

if TYPE_CHECKING:
    from umaddpm_core.detection import Detection, Detector

MODEL_VARIABLE = "UMADDPM_MODEL"
"""Environment variable with the model that the server uses unless a request names another: a path or a name."""

KEPT = 2
"""Models kept in memory for every worker."""


class Detections:
    """Runs detections, and answers from memory where only threshold or format differ from an earlier one.

    Args:
        folder: where further models (`*.safetensors`) are looked for; need not exist.
        default: path or name of the model to use where a request names none; None means the shipped default.

    Nothing is loaded before `warm_up` or the first detection. How many detections run at once is up to the caller.
    """

    def __init__(self, folder: Path, default: str | None = None) -> None:
        self._folder = folder
        self._default = default or None
        self._loading = threading.Lock()
        self._detectors: OrderedDict[Hashable, Detector] = OrderedDict()
        self._workers = 1
        self._memory = Memory(configured_megabytes())
        self._default_detector: Detector | None = None

    def warm_up(self) -> None:
        """Load the default model, so that a server with a model it cannot read says so before it serves.

        Raises:
            InputError: the model cannot be read.
        """
        self._default_detector = self._detector(None)[1]

    @property
    def is_warm(self) -> bool:
        """Whether the default model is loaded."""
        return self._default_detector is not None

    def models(self) -> dict[str, Path]:
        """Models that a request can name: the shipped ones, those in the folder and the default where it is a file."""
        from umaddpm_core.detection import shipped_models

        models = dict(shipped_models())
        models.update({path.stem: path for path in sorted(self._folder.glob("*.safetensors"))})
        if self._default and self._default not in models:
            models[Path(self._default).stem] = Path(self._default)
        return models

    def describe(self) -> dict[str, Any]:
        """Names of the models, and the modalities and thresholds of the default one once it is loaded."""
        detector = self._default_detector
        if detector is None:
            return {}
        return {
            "models": sorted({detector.name, *self.models()}),
            "default_model": detector.name,
            "modalities": list(detector.modalities),
            "thresholds": list(detector.thresholds),
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
        question = (_fingerprint(scan), model, parameters.series, parameters.modality, parameters.score)
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

    def _detector(self, name: str | None, worker: int = 0) -> tuple[Hashable, Detector]:
        from umaddpm_core.detection import Detector
        from umaddpm_core.detection.models import find_model

        models = self.models()
        if name is not None and name not in models:
            known = ", ".join(sorted(models)) or "none"
            raise InputError(f"There is no model {name!r} on this server; it has {known}.")
        wanted = name or self._default
        path = models[wanted] if wanted in models else find_model(wanted)
        # A file that was replaced is another model.
        identity = (str(path), path.stat().st_mtime_ns)
        with self._loading:
            self._workers = max(self._workers, worker + 1)
            detector = self._detectors.get((worker, identity)) or Detector.load(path, device=_device(worker))
            self._detectors[worker, identity] = detector
            self._detectors.move_to_end((worker, identity))
            while len(self._detectors) > KEPT * self._workers:
                self._detectors.popitem(last=False)
        return identity, detector


def configured_default() -> str | None:
    """The model named by the environment, or None for the shipped default."""
    return os.environ.get(MODEL_VARIABLE, "").strip() or None


def _device(worker: int) -> str | None:
    """The GPU of a worker where there are several, else None for the detector's own choice."""
    import torch

    count = torch.cuda.device_count()
    return f"cuda:{worker % count}" if count > 1 else None


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
