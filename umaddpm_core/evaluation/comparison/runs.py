"""The runs of a comparison: trained where they are not, judged where they are not, each file bound to what it was made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.baseline import best_intensity, fitted_intensity
from umaddpm_core.evaluation.calibrate import calibrate, without_lesions
from umaddpm_core.evaluation.cases import Case
from umaddpm_core.evaluation.comparison.binding import TRAINING, cache_hash, code_hash, hash_of
from umaddpm_core.evaluation.comparison.cost import cost
from umaddpm_core.evaluation.comparison.healthy import judged_healthy
from umaddpm_core.evaluation.comparison.judging import judged_set, score_of
from umaddpm_core.evaluation.comparison.plan import Budget, Entry, Plan, learns
from umaddpm_core.evaluation.comparison.sets import PreparedSet, prepared_set
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.training.engine import train

LESIONS = 2
"""Painted into every validation scan, for calibration."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One model: an entry of the plan, a sequence, a budget of slices and a seed."""

    entry: Entry
    modality: str
    slices: int
    seed: int

    @property
    def folder(self) -> Path:
        """Where its files lie below the comparison's folder."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.entry.name.lower()).strip("-")
        return Path(slug) / f"{self.modality}_{self.slices}_{self.seed}"

    def __str__(self) -> str:
        return f"{self.entry.name}, {self.modality}, {self.slices:,} slices, seed {self.seed}"


class Comparison:
    """A plan, its cache and the folder of its runs.

    Args:
        plan, cache: what is compared, and the healthy scans to train on.
        output: gets a folder for every run, with its model.
        kept: gets a folder for every run, with `result.json`; by default `output`. With these files and without models a
            comparison is gone on with elsewhere.
        workers: processes that judge.
        tell: told what happens.
    """

    def __init__(self, plan: Plan, cache: ArrayCache, output: Path, *, kept: Path | None = None, workers: int = 0, tell: Tell = print) -> None:
        self.plan, self.cache, self.output, self.workers, self.tell = plan, cache, output, workers, tell
        self.kept = kept or output
        self.data = cache_hash(cache)
        preparation = PreprocessingSettings(**cache.settings)
        present = [chosen for chosen in plan.sets if chosen.source.exists() or not chosen.optional]
        self.sets = {chosen.name: prepared_set(chosen, preparation) for chosen in present}
        self.sizes_ml = [size for prepared in self.sets.values() for size in prepared.development_sizes()]

    def runs(self) -> Iterator[Run]:
        """All runs, the long ones first."""
        budgets: list[Budget] = [self.plan.long, *([self.plan.short] if self.plan.short else [])]
        for number, budget in enumerate(budgets):
            for seed in budget.seeds:
                for modality in self.plan.modalities:
                    for entry in self.plan.methods:
                        if learns(entry):
                            yield Run(entry, modality, budget.slices, seed)
                        elif number == 0 and seed == budget.seeds[0]:
                            yield Run(entry, modality, 0, 0)

    def complete(self) -> list[tuple[Run, dict[str, Any]]]:
        """Every run with its result; what is missing is made.

        Raises:
            InputError: a run's folder holds a model of other settings or data.
        """
        return [(run, self.result(run)) for run in self.runs()]

    def result(self, run: Run) -> dict[str, Any]:
        """The result of a run, from its file where nothing it depends on has changed; else the model is made and judged."""
        path, bound = self.kept / run.folder / "result.json", self._bound(run)
        if path.exists() and (stored := json.loads(path.read_text()))["bound"] == bound:
            return stored
        model = self._trained(run)
        self.tell(f"judging {run}")
        artefact = Artefact.load(model)
        method = from_artefact(artefact, **run.entry.test)
        result = {
            "bound": bound,
            "package_version": __version__,
            "run": {"method": run.entry.name, "modality": run.modality, "slices": run.slices, "seed": run.seed},
            "config": artefact.config,
            "test": run.entry.test,
        }
        if run.slices in (0, self.plan.long.slices):
            result.update(self._judged_whole(method, run))
        else:
            result.update(self._judged_short(method, run))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, result)
        return json.loads(path.read_text())

    def model(self, run: Run) -> Path:
        """Where the model of a run lies, once it is trained."""
        return self.output / run.folder / "model.safetensors"

    def pictured(self, modality: str) -> list[tuple[str, Case]]:
        """The cases of the figure of a sequence, each with its set."""
        return [
            (prepared.name, prepared.cases(scan)) for prepared in self._sets_of(modality) for scan in prepared.scans if scan.name in self.plan.pictures
        ]

    def _bound(self, run: Run) -> str:
        """The hash of all that decides the result of a run."""
        plan, entry = self.plan, run.entry
        trained = plan.training(entry, run.modality, run.slices, run.seed).model_dump() if learns(entry) else None
        sets = {prepared.name: prepared.fingerprint for prepared in self._sets_of(run.modality)}
        judged = [entry.test, plan.calibration_people, plan.healthy_people, entry.people, entry.cases, LESIONS, self.sizes_ml]
        return hash_of([entry.experiment, trained, judged, sets, self.data, __version__, code_hash()])

    def _judged_whole(self, method: Method, run: Run) -> dict[str, Any]:
        """Thresholds (by set those from its own development cases, under "" those of the others), cost, healthy people and sets."""
        sets = self._sets_of(run.modality)
        calibrated = {prepared.name: self._calibration(method, run, prepared.labelled) for prepared in sets if prepared.labelled}
        without = without_lesions(next(iter(calibrated.values()))) if calibrated else self._calibration(method, run, None)
        healthy = min(self.plan.healthy_people, run.entry.people or self.plan.healthy_people)
        return {
            "thresholds": {name: one["scores"] for name, one in (("", without), *calibrated.items())},
            "cost": self._cost(method, run.modality),
            "healthy": judged_healthy(method, without, self.cache, run.modality, self.sizes_ml, healthy, self.workers),
            "sets": {
                prepared.name: judged_set(
                    method, calibrated.get(prepared.name, without), run.modality, prepared, run.entry.cases, self.workers
                )
                for prepared in sets
            },
        }

    def _calibration(self, method: Method, run: Run, labelled: ArrayCache | None) -> dict[str, Any]:
        """Thresholds from validation people, and `lesion_dice` from the development cases of one set."""
        people = min(self.plan.calibration_people, run.entry.people or self.plan.calibration_people)
        return calibrate(
            method,
            self.cache,
            run.modality,
            labelled=labelled,
            people=people,
            lesions=LESIONS,
            cases=run.entry.cases,
            workers=self.workers,
        )

    def _judged_short(self, method: Method, run: Run) -> dict[str, Any]:
        """Only what needs no thresholds, for the spread over seeds."""
        return {
            "sets": {
                prepared.name: judged_set(method, None, run.modality, prepared, run.entry.cases, self.workers)
                for prepared in self._sets_of(run.modality)
            }
        }

    def _trained(self, run: Run) -> Path:
        """The model file of a run, which is trained, or trained on, where it is not there."""
        model = self.model(run)
        folder, note = model.parent, model.with_name("trained.json")
        if not learns(run.entry):
            return self._fitted(run, model)
        config = self.plan.training(run.entry, run.modality, run.slices, run.seed)
        bound = hash_of([config.model_dump(), self.data, __version__, code_hash(TRAINING)])
        if note.exists() and (kept := json.loads(note.read_text()))["bound"] != bound:
            raise InputError(
                f"{folder} holds a model of other settings, data or code ({kept['run']}); delete it or give another folder."
            )
        if model.exists() and note.exists():
            return model
        self.tell(f"training {run}")
        folder.mkdir(parents=True, exist_ok=True)
        train(config, self.cache, folder, quiet=True)
        (folder / "last.ckpt").unlink(missing_ok=True)
        write_json(note, {"bound": bound, "run": str(run)})
        return model

    def _fitted(self, run: Run, model: Path) -> Path:
        """The model file of the intensity baseline, of the kind that the plan names, or that is best where nothing is reported."""
        labelled = self._labelled(run.modality)
        sets = [prepared.fingerprint for prepared in self._sets_of(run.modality)]
        bound = hash_of([run.entry.test, self.data, sets, code_hash()])
        note = model.with_name("trained.json")
        if model.exists() and note.exists() and json.loads(note.read_text())["bound"] == bound:
            return model
        self.tell(f"fitting {run}")
        model.parent.mkdir(parents=True, exist_ok=True)
        if kind := run.entry.test.get("kind"):
            method = fitted_intensity(self.cache, run.modality)[kind]
        else:
            score = score_of("signed", run.modality)
            method = best_intensity(self.cache, run.modality, score, labelled, self.plan.calibration_people, LESIONS)
        method.artefact(modalities=[run.modality], preprocessing=self.cache.settings).save(model)
        write_json(note, {"bound": bound, "run": str(run)})
        return model

    def _cost(self, method: Method, modality: str) -> dict[str, float]:
        """Measured in a process of its own, so that its memory is the method's."""
        scan = self.cache.scans("test", modality, healthy=True, synthetic=False)[0]
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(cost, method, self.cache.volume(scan)).result()

    def _sets_of(self, modality: str) -> list[PreparedSet]:
        return [prepared for prepared in self.sets.values() if prepared.modality == modality]

    def _labelled(self, modality: str) -> ArrayCache | None:
        """The first array cache among the sets that has development cases of this sequence."""
        return next((prepared.labelled for prepared in self._sets_of(modality) if prepared.labelled), None)
