"""One training on the server, from the scans of the datastore to a published version."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.data.preprocess import Recipe, fill_cache
from umaddpm_core.data.replacing import replacing
from umaddpm_core.data.splits import cohort_parts
from umaddpm_core.detection.calibration import chosen_threshold
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.calibrate import calibrate
from umaddpm_core.evaluation.healthy_people import healthy_test
from umaddpm_core.methods import from_artefact
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.serving.models.candidate import Candidate
from umaddpm_core.serving.models.versions import Versions
from umaddpm_core.serving.retraining.cohort import FEWEST, healthy_cohort
from umaddpm_core.serving.retraining.gate import Judgement, compared
from umaddpm_core.serving.retraining.request import RetrainingRequest
from umaddpm_core.training.config import TrainingConfig, find_config
from umaddpm_core.training.processes import processes_for, train_in_processes

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore

Tell = Callable[[str, dict[str, Any]], None]
"""Told one line of what happens, and figures for the statistics."""


def retrain(
    datastore: Datastore, in_use: Path, versions: Versions, waiting: Candidate, work: Path, request: RetrainingRequest, tell: Tell
) -> dict[str, Any]:
    """Train, calibrate, judge and, where it may be, publish a model.

    Args:
        datastore: with scans whose image info says `{"cohort": "healthy"}`.
        in_use: the model that the candidate is judged against.
        versions: where it is published.
        waiting: where it waits when it is not.
        work: folder for the array cache and the run; a training that was stopped goes on there, unless settings, scans or
            the model in use are others now.

    Returns:
        `published`: the version or None; `judgement` with the figures of both models; `reasons` against it; `left_out` by
        image. The people it is judged by are the test part of the split, which neither training nor calibration sees and
        which stays as it is from one training to the next.

    Raises:
        InputError: too few healthy people, or settings that fit no model.
    """
    present = Artefact.load(in_use)
    config = _config(request, present)
    cache, left_out = _prepared(datastore, present, work, config, request.workers, tell)
    run = work / f"run-{_digest(config, cache, present if request.start == 'in_use' else None)}"
    _remove_others(run)
    started = time.monotonic()

    def steps_done(step: int, loss: float) -> None:
        epoch = step // request.steps_per_epoch
        tell(
            f"epoch {epoch} of {request.max_epochs}: loss {loss:.4f}",
            {"epoch": epoch, "loss": round(loss, 5), "seconds": round(time.monotonic() - started, 1)},
        )

    processes = processes_for(config) if request.multi_gpu else 1
    tell(f"training in {processes} process{'es' if processes > 1 else ''}", {"total_epochs": request.max_epochs, "processes": processes})
    begin = in_use if request.start == "in_use" else None
    candidate = train_in_processes(processes, config, cache, run, start=begin, every=request.steps_per_epoch, told=steps_done)
    # A model may be passed on; who the people are stays here.
    candidate.provenance.pop("subjects", None)
    _calibrate(candidate, present, cache, request.workers, tell)
    judgement = _judged(candidate.save(run / "calibrated.safetensors", torch.float16), present, cache, config, request.workers, tell)
    outcome = {"judgement": judgement.as_dict(), "reasons": judgement.reasons()}
    waiting.keep(candidate, request.name, by=request.by, **outcome)
    published = None
    if request.publish == "always" or (request.publish == "if_not_worse" and judgement.passed):
        published = waiting.publish(versions, by=request.by, override=request.publish == "always")
    shutil.rmtree(run, ignore_errors=True)
    tell(f"published as {published}" if published else "not published: " + (" ".join(judgement.reasons()) or "nobody asked for it"), {})
    return {"published": published, **outcome, "left_out": left_out}


def _config(request: RetrainingRequest, present: Artefact) -> TrainingConfig:
    changes = {
        "modalities": request.modalities or present.modalities,
        "steps": request.max_epochs * request.steps_per_epoch,
        "batch": request.batch,
        "learning_rate": request.learning_rate,
        "checkpoint_every": request.steps_per_epoch,
        "seed": request.seed,
    }
    if request.start == "in_use":
        return find_config(present.method, request.preset, **changes).model_copy(update={"method_config": present.config})
    return find_config("unified" if present.method == "uma_ddpm" else present.method, request.preset, **changes)


def _digest(config: TrainingConfig, cache: ArrayCache, start: Artefact | None) -> str:
    """Of settings, scans and weights at the start: a training that was stopped goes on only where all are what they were."""
    content = config.model_dump_json() + "".join(sorted(f"{scan.name}:{scan.part}" for scan in cache.scans()))
    content += start.digest() if start else ""
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _prepared(
    datastore: Datastore, present: Artefact, work: Path, config: TrainingConfig, workers: int, tell: Tell
) -> tuple[ArrayCache, dict[str, str]]:
    """The healthy scans of the datastore in an array cache, each person in the part they were in before."""
    with ExitStack() as holding:
        scans, left_out = healthy_cohort(datastore, holding)
        recipe = Recipe(PreprocessingSettings(**present.preprocessing))
        parts = _parts(scans, work / "people.json")
        _require_enough([(parts[scan.subject], scan.modality) for scan in scans], config)
        tell(f"preparing {len(scans)} scans", {"scans": len(scans)})
        prepared_as = json.dumps([recipe.settings.model_dump(mode="json"), recipe.fingerprints], sort_keys=True)
        folder = work / f"cache-{hashlib.sha256(prepared_as.encode()).hexdigest()[:12]}"
        _remove_others(folder)
        failures = fill_cache(folder, "datastore", scans, parts, modalities=config.modalities, recipe=recipe, workers=max(workers, 1))
        if len(failures) == len(scans):
            raise InputError(f"None of the {len(scans)} healthy scans can be prepared; of the first: {next(iter(failures.values()))}")
    cache = ArrayCache(folder)
    _require_enough([(scan.part, scan.modality) for scan in cache.scans(healthy=True, synthetic=False)], config)
    return cache, {**left_out, **failures}


def _parts(scans: list[Scan], file: Path) -> dict[str, str]:
    """Part of the split by person; the file remembers everybody there ever was, so that nobody changes parts."""
    known = json.loads(file.read_text()) if file.exists() else {}
    parts = cohort_parts(scans, "folder", kept={scan.subject: known[scan.subject] for scan in scans if scan.subject in known})
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        temporary.write_text(json.dumps({**known, **parts}))
    return parts


def _remove_others(folder: Path) -> None:
    """The folders of the same kind, which nothing goes on in any more."""
    kind = folder.name.split("-")[0]
    for other in folder.parent.glob(f"{kind}-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _require_enough(scans: list[tuple[str, str]], config: TrainingConfig) -> None:
    """Raise InputError where one part (first of each pair) has too few scans of a sequence (second)."""
    for modality in config.modalities:
        for part, fewest in FEWEST.items():
            if (people := scans.count((part, modality))) < fewest:
                raise InputError(f"The {part} part has {people} healthy people in {modality}; {fewest} are the fewest. Call more scans healthy.")


def _calibrate(candidate: Artefact, present: Artefact, cache: ArrayCache, workers: int, tell: Tell) -> None:
    """Give the candidate the settings that the model in use is deployed with, its scores, and thresholds of its own."""
    deployed = {key: present.config[key] for key in ("t_test", "draws", "shared_noise_test") if key in present.config}
    method = from_artefact(candidate, **deployed)
    candidate.config = method.config.model_dump(mode="json")
    candidate.calibration = {}
    for modality in candidate.modalities:
        tell(f"calibrating {modality}", {})
        score = present.calibration.get(modality, {}).get("score")
        candidate.calibration[modality] = calibrate(method, cache, modality, score=score, workers=workers)


def _judged(model: Path, present: Artefact, cache: ArrayCache, config: TrainingConfig, workers: int, tell: Tell) -> Judgement:
    """The candidate beside the model in use, on the test part; a sequence that the latter does not know is not compared."""
    comparisons = {}
    for modality in config.modalities:
        if modality not in present.modalities:
            continue
        rows = []
        for what, artefact in (("candidate", Artefact.load(model)), ("model in use", present)):
            tell(f"judging the {what} in {modality}", {})
            threshold = chosen_threshold(artefact.calibration[modality], None, None)
            rows.append(healthy_test(from_artefact(artefact), threshold, cache, modality, workers=workers))
        comparisons[modality] = compared(*rows)
    return Judgement(comparisons, tuple(modality for modality in present.modalities if modality not in config.modalities))
