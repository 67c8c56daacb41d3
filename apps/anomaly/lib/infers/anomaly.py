"""The inferer `anomaly`: MONAI Label's contract around the detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from umaddpm_core.errors import NotFound
from umaddpm_core.serving.cancellation import Cancellation
from umaddpm_core.serving.detections import Detections
from umaddpm_core.serving.dicom.answer import DicomAnswer
from umaddpm_core.serving.parameters import Parameters
from umaddpm_core.serving.results import LABELS, load_writers, result_file, result_parameters


class AnomalyInfer(InferTask):
    """Scan in, mask (or archive) and result parameters out. Research use only."""

    def __init__(self, detections: Detections, datastore: Datastore) -> None:
        super().__init__(
            type=InferType.SEGMENTATION,
            labels=LABELS,
            dimension=3,
            description="Unsupervised anomaly detection in brain MRI (UMA-DDPM). Research use only.",
        )
        self._detections = detections
        self._datastore = datastore

    def warm_up(self) -> None:
        """Load the default model, and what the first result needs."""
        self._detections.warm_up()
        load_writers()

    @property
    def is_warm(self) -> bool:
        """Whether the default model is loaded."""
        return self._detections.is_warm

    def is_valid(self) -> bool:
        """Always: a server whose model cannot be read does not start."""
        return True

    def config(self) -> dict[str, Any]:
        """Choices that stock clients show as drop-down lists and send back, the first being the default."""
        described = self._detections.describe()
        return {
            "modality": ["auto", *described.get("modalities", [])],
            "threshold": ["default", *described.get("thresholds", [])],
        }

    def info(self) -> dict[str, Any]:
        """The stock description, with the models, modalities and thresholds that a request can name, and what is computed on."""
        described = self._detections.describe()
        if described:
            from umaddpm_core.detection.detector import device_of

            described = {**described, "device": str(device_of(None))}
        return {**super().info(), **described}

    def __call__(self, request: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Detect in the scan at the path `request["image"]`.

        Of a request of ours, `results` is a folder to write every file of the detection to, and `wants_file` says
        whether the answer has a file of its own; `cancellation`, `progress` and `worker` are those of the queue.

        Raises:
            InputError: a scan or a parameter that cannot be used.
        ArchiveUnavailable: the archive did not take the results.
            Cancelled: the client hung up.
        """
        scan = request.get("image")
        if not scan:
            raise NotFound("There is no such image in the datastore of this server.")
        parameters, ours = request.get("parameters"), request
        if not isinstance(parameters, Parameters):
            # The stock route and batch jobs merge the parameters into the request, where `model` is the inferer. What
            # else such a request holds was written by the client and is no business of ours.
            parameters, ours = Parameters.from_mapping({**request, "model": None}), {}
        dicom, wants_file = DicomAnswer(Path(scan), parameters, self._datastore), ours.get("wants_file", True)
        detection = self._detections.detect(
            Path(scan), parameters, Cancellation.of(ours).is_set, ours.get("progress"), ours.get("worker", 0)
        )
        detection = dicom.complete(detection, wants_file=wants_file)
        if folder := ours.get("results"):
            from umaddpm_core.detection import write_detection

            write_detection(detection, folder)
        file = result_file(detection, parameters.result_extension, dicom.files) if wants_file else None
        return str(file) if file else None, result_parameters(detection)
