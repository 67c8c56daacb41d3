"""The main job: a scan goes in, a mask comes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.detection.anomaly_map import anomaly_map, examined_region, mask_of
from umaddpm_core.detection.calibration import Threshold, chosen_threshold
from umaddpm_core.detection.detection import NOTICE, Detection
from umaddpm_core.detection.lesions import find_lesions
from umaddpm_core.detection.models import find_model
from umaddpm_core.detection.phases import REPAINTING, RESTORING
from umaddpm_core.errors import InputError, Rejected
from umaddpm_core.interruption import interruptible
from umaddpm_core.methods import from_artefact
from umaddpm_core.methods.base import check_cancelled
from umaddpm_core.preprocessing.choices import Extraction
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.prepared import PreparedScan
from umaddpm_core.preprocessing.quality.assess import assess
from umaddpm_core.preprocessing.quality.intensity import Cohort, histogram
from umaddpm_core.preprocessing.quality.report import QualityReport
from umaddpm_core.preprocessing.reading import AcquiredScan, read_scan
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.preprocessing.structures import read_structures

Progress = Callable[[float, str], None]
"""Told the share of the work done, 0–1, and the phase, one of `phases.PHASES`; at the end 1 and `done`."""

NEAR_THRESHOLD = 0.2
"""Share of the threshold within which a small shift of it would change what is marked."""


class Detector:
    """A calibrated model, ready to detect.

    Args:
        artefact: with calibration.
        name: under which results mention the model.
        device: `cpu`, `cuda`, …; by default a GPU where there is one.
        atlas, atlas_brain: brain in the space the model was trained in (shipped models: SRI24) and its mask, to align
            scans to; by default the shipped template.
        brain_extraction: how the brain is found where no mask is given; by default as for the model's training.

    Raises:
        InputError: the artefact has no calibration, the device does not exist, or the atlas cannot be used.
    """

    def __init__(
        self,
        artefact: Artefact,
        name: str,
        *,
        device: str | None = None,
        atlas: str | Path | None = None,
        atlas_brain: str | Path | None = None,
        brain_extraction: Extraction | None = None,
    ) -> None:
        if not artefact.calibration:
            raise InputError(f"The model {name} is not calibrated; run `umaddpm calibrate` on it first.")
        self.artefact = artefact
        self.name = name
        self.device = device_of(device)
        self.weights = artefact.digest()
        self.method = from_artefact(artefact).to(self.device)
        settings = PreprocessingSettings(**artefact.preprocessing)
        if brain_extraction:
            settings = settings.model_copy(update={"brain_extraction": brain_extraction})
        self.preprocessor = Preprocessor(settings, template=atlas, template_brain=atlas_brain)

    @classmethod
    def load(cls, model: str | Path | None = None, **options: Any) -> Detector:
        """The detector of a shipped model (by name; None for the default) or of a model file; options as for `Detector`.

        Raises:
            InputError: unknown name, missing or unreadable file.
        """
        path = find_model(model)
        return cls(Artefact.load(path), path.stem, **options)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The sequences the model knows."""
        return tuple(self.artefact.modalities)

    @property
    def thresholds(self) -> dict[str, float]:
        """Calibrated thresholds by name, for the default score of the first modality."""
        calibration = self.artefact.calibration[self.modalities[0]]
        return {name: entry["value"] for name, entry in calibration["scores"][calibration["score"]].items()}

    def detect(
        self,
        image: str | Path | sitk.Image,
        *,
        brain: str | Path | sitk.Image | None = None,
        series: str | None = None,
        modality: str | None = None,
        score: str | None = None,
        threshold: str | float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Detection:
        """Find what the model cannot repaint as healthy.

        Args:
            image: scan file, DICOM folder or zip, or image; any orientation and spacing, with or without skull.
            brain: mask on the scan's grid, where the user has one; by default as the model's scans were stripped.
            series: number, UID or description of the DICOM series, where there are several.
            modality: `T1` or `T2`; by default what the DICOM tags say, then the file name, else the model's first.
            score: one of `anomaly_map.SCORES`; by default the calibrated one.
            threshold: a calibrated name or a number; by default the calibrated default.
            progress, cancelled: told of the progress; asked whether to stop.

        Raises:
            InputError: a scan, mask, modality, score or threshold that cannot be used, before anything is computed where
                that can be known; or a scan that the model cannot judge, because it is no brain or another sequence.
            Cancelled: `cancelled()` was true.
        """
        tell = progress or (lambda share, phase: None)
        started = time.perf_counter()
        self._check_modality(modality)
        scan = read_scan(image, series=series)
        source = "user" if modality else "scan" if scan.modality else "assumed"
        modality = modality or self._modality_of(scan)
        wanted = chosen_threshold(self.artefact.calibration[modality], threshold, score)
        mask = brain if brain is None or isinstance(brain, sitk.Image) else read_scan(brain).image

        def step(share: float, phase: str) -> None:
            check_cancelled(cancelled)
            tell(0.3 * share, phase)

        with interruptible(cancelled):
            prepared = self.preprocessor.prepare(scan, mask, step=step)
        quality = self._judged(prepared, scan, modality, source)
        aligned = time.perf_counter()
        check_cancelled(cancelled)
        tell(0.3, REPAINTING)
        reconstruction = self.method.reconstruct(
            prepared.volume.to(self.device),
            progress=lambda share: tell(0.3 + 0.6 * share, REPAINTING),
            cancelled=cancelled,
        ).cpu()
        repainted = time.perf_counter()
        check_cancelled(cancelled)
        tell(0.9, RESTORING)
        examined = prepared.restore_mask(examined_region(prepared.brain, wanted.score))
        score_map = prepared.restore(anomaly_map(prepared.volume, reconstruction, prepared.brain, wanted.score))
        score_map = sitk.Mask(score_map, examined)
        detection = Detection(
            scan=prepared.scan,
            mask=_mask(score_map, wanted),
            reconstruction=prepared.restore_reconstruction(reconstruction),
            model_output=prepared.restore_model_output(reconstruction),
            anomaly_map=score_map,
            examined=examined,
            structures=prepared.restore_labels(read_structures()),
            lesions=[],
            report={
                "scan": scan.name,
                "model": self.name,
                "weights": self.weights,
                "method": self.artefact.method,
                "package_version": __version__,
                "modality": modality,
                "modality_from": source,
                **_coverage(prepared, examined),
                "quality": quality.as_dict(),
                "timings": {
                    "preparation_s": round(aligned - started, 2),
                    "reconstruction_s": round(repainted - aligned, 2),
                    "total_s": round(time.perf_counter() - started, 2),
                },
                "notice": NOTICE,
            },
        )
        tell(1.0, "done")
        return self._described(detection, wanted)

    def rethreshold(self, detection: Detection, threshold: str | float | None = None) -> Detection:
        """The same detection at another threshold of the same score; nothing is computed anew but mask and lesions."""
        report = detection.report
        wanted = chosen_threshold(self.artefact.calibration[report["modality"]], threshold, report["threshold"]["score"])
        return self._described(replace(detection, mask=_mask(detection.anomaly_map, wanted)), wanted)

    def _described(self, detection: Detection, threshold: Threshold) -> Detection:
        lesions = find_lesions(detection.mask, detection.anomaly_map, detection.structures)
        report = {
            **detection.report,
            "threshold": threshold.as_dict(),
            "lesions": [lesion.as_dict() for lesion in lesions],
            "marked_ml": round(sum(lesion.volume_ml for lesion in lesions), 3),
            **_beside_threshold(detection.anomaly_map, threshold.value),
        }
        return replace(detection, lesions=lesions, report=report)

    def _check_modality(self, modality: str | None) -> None:
        if modality is not None and modality not in self.modalities:
            raise InputError(f"The model {self.name} knows {' and '.join(self.modalities)}, not {modality}.")

    def _judged(self, prepared: PreparedScan, scan: AcquiredScan, modality: str, source: str) -> QualityReport:
        """The verdict on a scan.

        Raises:
            Rejected: it is `reject`.
        """
        cohort = self.artefact.calibration[modality].get("intensity")
        quality = assess(
            prepared.quality,
            modality,
            source=source,
            said=scan.modality,
            tags=scan.tags,
            histogram=histogram(prepared.volume, prepared.brain),
            cohort=Cohort.from_dict(cohort) if cohort else None,
        )
        if quality.verdict == "reject":
            reason = quality.reasons[0]
            raise Rejected(f"{scan.name} cannot be judged: {reason[0].lower()}{reason[1:]}")
        return quality

    def _modality_of(self, scan: AcquiredScan) -> str:
        if scan.modality is not None and scan.modality not in self.modalities:
            source = "DICOM header or its name" if scan.tags else "name"
            raise InputError(
                f"{scan.name} is a {scan.modality} scan by its {source}, and the model {self.name} knows "
                f"{' and '.join(self.modalities)}; name the modality if that is wrong."
            )
        return scan.modality or self.modalities[0]


def _mask(score_map: sitk.Image, threshold: Threshold) -> sitk.Image:
    marked = mask_of(sitk.GetArrayViewFromImage(score_map), threshold.value, float(np.prod(score_map.GetSpacing())))
    mask = sitk.GetImageFromArray(marked.astype(np.uint8))
    mask.CopyInformation(score_map)
    return mask


def _beside_threshold(score_map: sitk.Image, threshold: float) -> dict[str, float]:
    """The highest value of the map, and the volume whose value is within a fifth of the threshold."""
    values = sitk.GetArrayViewFromImage(score_map)
    near = np.count_nonzero(np.abs(values - threshold) < NEAR_THRESHOLD * threshold)
    return {"peak": round(float(values.max()), 4), "near_threshold_ml": round(near * float(np.prod(score_map.GetSpacing())) / 1000, 3)}


def _coverage(prepared: PreparedScan, examined: sitk.Image) -> dict[str, float]:
    """Brain volume, and the share of the brain in which nothing could have been found."""
    brain = sitk.GetArrayViewFromImage(prepared.scan_brain) > 0
    seen = np.count_nonzero(brain & (sitk.GetArrayViewFromImage(examined) > 0))
    total = np.count_nonzero(brain)
    return {
        "brain_ml": round(float(total * np.prod(prepared.scan.GetSpacing()) / 1000), 1),
        "not_examined_percent": round(100 * (1 - seen / max(total, 1)), 1),
    }


def device_of(name: str | None) -> torch.device:
    """The device of a name; without one a GPU where there is one, else the CPU.

    Raises:
        InputError: there is no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {name!r} on this machine.") from error
    return device
