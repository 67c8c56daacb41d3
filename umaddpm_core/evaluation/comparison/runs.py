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
from umaddpm_core.data.binding import fingerprint
from umaddpm_core.data.cache import ArrayCache, is_cache
from umaddpm_core.data.cohorts import guessed_layout, read_cohort
from umaddpm_core.data.splits import DEVELOPMENT, cohort_parts
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.calibrate import calibrate
from umaddpm_core.evaluation.comparison.binding import cache_hash, code_hash, hash_of, scans_hash
from umaddpm_core.evaluation.comparison.judging import PreparedSet, cost, judged_healthy, judged_set
from umaddpm_core.evaluation.comparison.plan import Budget, CaseSet, Entry, Plan, learns
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases
from umaddpm_core.evaluation.report import write_json
from umaddpm_core.methods import Method, from_artefact
from umaddpm_core.methods.intensity import Intensity, IntensityConfig
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.training.engine import train

LESIONS = 2
"""Painted into every scan of a person, for calibration and for the healthy test."""

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
        output: gets a folder for every run, with its model and `result.json`.
        workers: processes that judge.
        tell: told what happens.
    """

    def __init__(self, plan: Plan, cache: ArrayCache, output: Path, *, workers: int = 0, tell: Tell = print) -> None:
        self.plan, self.cache, self.output, self.workers, self.tell = plan, cache, output, workers, tell
        self.data = cache_hash(cache)
        self.sets = {chosen.name: self._prepared(chosen) for chosen in plan.sets}

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
        """The result of a run, from its file where nothing it depends on has changed."""
        model, path = self._trained(run), self.output / run.folder / "result.json"
        sets = {chosen.name: self.sets[chosen.name].fingerprint for chosen in self._sets_of(run.modality)}
        judged_with = [self.plan.calibration_people, self.plan.healthy_people, LESIONS, sets, self.data, code_hash()]
        bound = hash_of([fingerprint(model), run.entry.test, judged_with])
        if path.exists() and (stored := json.loads(path.read_text()))["bound"] == bound:
            return stored
        self.tell(f"judging {run}")
        artefact = Artefact.load(model)
        method = from_artefact(artefact, **run.entry.test)
        labelled = self._labelled(run.modality)
        calibration = calibrate(
            method,
            self.cache,
            run.modality,
            labelled=labelled,
            people=self.plan.calibration_people,
            lesions=LESIONS,
            workers=self.workers,
        )
        result = {
            "bound": bound,
            "package_version": __version__,
            "run": {"method": run.entry.name, "modality": run.modality, "slices": run.slices, "seed": run.seed},
            "config": artefact.config,
            "test": run.entry.test,
            "thresholds": calibration["scores"],
            "cost": self._cost(method, run.modality) if run.slices in (0, self.plan.long.slices) else None,
            "healthy": judged_healthy(
                method, calibration, self.cache, run.modality, self.plan.healthy_people, LESIONS, self.workers
            ),
            "sets": {
                chosen.name: judged_set(method, calibration, run.modality, self.sets[chosen.name], self.workers)
                for chosen in self._sets_of(run.modality)
            },
        }
        write_json(path, result)
        return json.loads(path.read_text())

    def method(self, run: Run) -> Method:
        """The trained model of a run, as it is judged."""
        return from_artefact(Artefact.load(self._trained(run)), **run.entry.test)

    def _trained(self, run: Run) -> Path:
        """The model file of a run, which is trained, or trained on, where it is not there."""
        folder = self.output / run.folder
        model, note = folder / "model.safetensors", folder / "trained.json"
        config = self.plan.training(run.entry, run.modality, run.slices, run.seed).model_dump() if learns(run.entry) else {}
        bound = hash_of([config, self.data, __version__])
        if note.exists() and (kept := json.loads(note.read_text()))["bound"] != bound:
            raise InputError(
                f"{folder} holds a model of other settings, data or version ({kept['run']}); delete it or give another folder."
            )
        if model.exists() and note.exists():
            return model
        self.tell(f"training {run}")
        folder.mkdir(parents=True, exist_ok=True)
        if learns(run.entry):
            train(self.plan.training(run.entry, run.modality, run.slices, run.seed), self.cache, folder, quiet=True)
            (folder / "last.ckpt").unlink(missing_ok=True)
        else:
            self._fitted(run).artefact(modalities=[run.modality], preprocessing=self.cache.settings).save(model)
        write_json(note, {"bound": bound, "run": str(run)})
        return model

    def _fitted(self, run: Run) -> Method:
        """The intensity baseline of this sequence."""
        healthy = self.cache.scans("training", run.modality, healthy=True, synthetic=False)
        return Intensity(IntensityConfig(**run.entry.test)).fit(self.cache.volume(scan) for scan in healthy)

    def _cost(self, method: Method, modality: str) -> dict[str, float]:
        """Measured in a process of its own, so that its memory is the method's."""
        scan = self.cache.scans("test", modality, healthy=True, synthetic=False)[0]
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(cost, method, self.cache.volume(scan)).result()

    def _sets_of(self, modality: str) -> list[CaseSet]:
        return [chosen for chosen in self.plan.sets if chosen.modality == modality]

    def _labelled(self, modality: str) -> ArrayCache | None:
        """The first array cache among the sets that has development cases of this sequence."""
        for chosen in self._sets_of(modality):
            if is_cache(chosen.source) and (cache := ArrayCache(chosen.source)).scans(DEVELOPMENT, modality):
                return cache
        return None

    def _prepared(self, chosen: CaseSet) -> PreparedSet:
        """A set's scans of the wanted part.

        Raises:
            InputError: it holds none.
        """
        if is_cache(chosen.source):
            cache = ArrayCache(chosen.source)
            scans = cache.scans(chosen.part if chosen.part != "all" else None, chosen.modality, synthetic=False)
            cases, found = CacheCases(cache), cache_hash(cache)
        else:
            layout = chosen.layout or guessed_layout(chosen.source)
            everyone = read_cohort(chosen.source, layout)
            parts = cohort_parts(everyone, layout)
            scans = [scan for scan in everyone if scan.modality == chosen.modality and chosen.part in ("all", parts[scan.subject])]
            cases, found = CohortCases(PreprocessingSettings(**self.cache.settings)), scans_hash(scans)
        if not scans:
            raise InputError(f"The set {chosen.name} holds no {chosen.modality} scans in the part {chosen.part!r} of {chosen.source}.")
        scans = sorted(scans, key=lambda scan: scan.name)[: chosen.limit]
        return PreparedSet(chosen.name, cases, scans, hash_of([found, [scan.name for scan in scans]]))
