"""Filling the array cache from the scans of a cohort."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk
from torch import Tensor

from umaddpm_core.data.binding import bound, fingerprint
from umaddpm_core.data.cache import INDEX, ArrayCache, CachedScan, volume_path, write_index, write_volume
from umaddpm_core.data.cohorts import MODALITIES, Scan, check_distinct
from umaddpm_core.data.replacing import replacing
from umaddpm_core.data.workers import each
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import READABLE, read_mask, read_scan, same_grid
from umaddpm_core.preprocessing.reading.source import ARCHIVE
from umaddpm_core.preprocessing.settings import PreprocessingSettings
from umaddpm_core.resources import BRAIN_EXTRACTOR, TEMPLATE, TEMPLATE_BRAIN

if TYPE_CHECKING:
    from umaddpm_core.preprocessing.pipeline import Preprocessor

FAILURES = "failures.csv"


@dataclass(frozen=True)
class Recipe:
    """How the scans of a cache are prepared: settings, and the template by default or of the user."""

    settings: PreprocessingSettings = PreprocessingSettings()
    template: Path = TEMPLATE
    template_brain: Path | None = TEMPLATE_BRAIN

    @cached_property
    def preprocessor(self) -> Preprocessor:
        """Loaded by the workers only: what it imports is large."""
        from umaddpm_core.preprocessing.pipeline import Preprocessor

        return Preprocessor(self.settings, template=self.template, template_brain=self.template_brain)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the files the preparation depends on, by what they are."""
        files = {"template": self.template, "template_brain": self.template_brain, "brain_extractor": BRAIN_EXTRACTOR}
        return {what: fingerprint(path) for what, path in files.items() if path}


def fill_cache(
    folder: Path,
    cohort: str,
    scans: Sequence[Scan],
    parts: Mapping[str, str],
    *,
    modalities: Collection[str] = MODALITIES,
    recipe: Recipe = Recipe(),
    workers: int = 1,
    redo: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Prepare every scan that is not in the cache yet, then write the index.

    Args:
        folder: of the cache; a run that was stopped, however, goes on where it was.
        cohort: its name.
        scans: of the cohort, also those that are not wanted now: they stay in the index if they were prepared before.
        parts: part of the split by subject.
        modalities: wanted sequences.
        workers: processes.
        redo: empty the cache first.
        progress: told how many of how many scans are done.

    Returns:
        The reason by name for every scan that could not be prepared; `failures.csv` in the cache has it too, and the next
        run tries them again.

    Raises:
        InputError: the cache is bound to another cohort or recipe, or a scan is there twice. Nothing was changed.
    """
    wanted = [scan for scan in scans if scan.modality in modalities]
    check_distinct(wanted)
    with bound(folder, cohort, recipe.settings.model_dump(), recipe.fingerprints, redo):
        waiting = [scan for scan in wanted if _note(folder, scan) is None]
        done = len(wanted) - len(waiting)
        failures: dict[str, str] = {}
        if progress:
            progress(done, len(wanted))
        for scan, reason in each(_Preparation(folder, recipe, _partners(scans)), waiting, workers):
            done += 1
            if reason:
                failures[scan.name] = reason
            if progress:
                progress(done, len(wanted))
        _write_failures(folder, failures)
        patients = {scan.subject for scan in scans if not scan.healthy}
        entries = [
            CachedScan(
                name=scan.name,
                subject=scan.subject,
                modality=scan.modality,
                part=parts[scan.subject],
                quality=note["quality"],
                healthy=scan.subject not in patients,
                has_lesions=scan.lesions is not None,
                paired=note.get("paired", False),
            )
            for scan in sorted(scans, key=lambda scan: scan.name)
            if (note := _note(folder, scan)) is not None
        ]
        if entries:
            write_index(folder, [*entries, *_still_synthetic(folder, entries)])
        else:
            (folder / INDEX).unlink(missing_ok=True)
    return failures


def _still_synthetic(folder: Path, entries: Sequence[CachedScan]) -> list[CachedScan]:
    """The synthetic scans of an index that was there before, of people who have no real scan of that sequence now."""
    if not (folder / INDEX).exists():
        return []
    real = {(scan.subject, scan.modality) for scan in entries}
    people = {scan.subject: scan.part for scan in entries}
    before = ArrayCache(folder).scans("training", synthetic=True)
    return [scan for scan in before if (scan.subject, scan.modality) not in real and people.get(scan.subject) == scan.part]


@dataclass(frozen=True)
class _Preparation:
    """What a worker does with a scan: the volume first, then the note that says it is done."""

    folder: Path
    recipe: Recipe
    partners: Mapping[str, Scan]

    def __call__(self, scan: Scan) -> str | None:
        """Why the scan could not be prepared, or nothing."""
        try:
            acquired = read_scan(scan.path)
            brain = read_mask(scan.brain) if scan.brain else None
            lesions = read_mask(scan.lesions) if scan.lesions else None
            if lesions is not None and not same_grid(lesions, acquired.image):
                raise InputError(f"The lesion mask {scan.lesions.name} does not lie on the grid of {scan.path.name}.")
            prepared = self.recipe.preprocessor.prepare(acquired, brain)
            paired = self._paired(scan, acquired.image)
        except InputError as error:
            return str(error)
        on_grid = None if lesions is None else prepared.mask_to_grid(lesions)
        write_volume(self.folder, scan.name, prepared.volume, on_grid, paired)
        with replacing(_note_path(self.folder, scan)) as temporary:
            note = {"files": _files(scan), "quality": prepared.quality, "paired": paired is not None}
            temporary.write_text(json.dumps(note))
        return None

    def _paired(self, scan: Scan, image: sitk.Image) -> Tensor | None:
        """The scan where the same person's T1 lies on the model's grid; None where there is no T1 with the same voxels, or
        none that can be prepared."""
        if scan.name not in self.partners:
            return None
        try:
            partner = self.partners[scan.name]
            acquired, brain = read_scan(partner.path), read_mask(partner.brain) if partner.brain else None
            if not same_grid(image, acquired.image):
                return None
            return self.recipe.preprocessor.prepare_like(image, self.recipe.preprocessor.prepare(acquired, brain))
        except InputError:
            return None


def _partners(scans: Sequence[Scan]) -> dict[str, Scan]:
    """The T1 of every healthy person who has another sequence beside it, by the name of that one."""
    t1 = {(scan.subject, scan.session): scan for scan in scans if scan.modality == "T1" and scan.healthy}
    pairs = ((scan, t1.get((scan.subject, scan.session))) for scan in scans if scan.modality == "T2")
    return {scan.name: partner for scan, partner in pairs if partner}


def _note_path(folder: Path, scan: Scan) -> Path:
    return volume_path(folder, scan.name).with_suffix(".json")


def _note(folder: Path, scan: Scan) -> dict[str, Any] | None:
    """What was written down when the scan was done; None where it was not, or its files have changed since."""
    path = _note_path(folder, scan)
    if not path.exists() or not volume_path(folder, scan.name).exists():
        return None
    note = json.loads(path.read_text())
    return note if note["files"] == _files(scan) else None


def _files(scan: Scan) -> list[list[str]]:
    """Name and fingerprint of every file of a scan, wherever the folder lies; one DICOM file stands for those beside it."""
    whole = scan.path.is_dir() or scan.path.name.lower().endswith((*READABLE, ARCHIVE))
    slices = [] if whole else sorted(path for path in scan.path.parent.iterdir() if path.is_file())
    paths = [path for path in (scan.path if whole else None, *slices, scan.lesions, scan.brain) if path]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return [[file.name, _content(file, file.stat().st_size, file.stat().st_mtime_ns)] for file in files]


@lru_cache(maxsize=1 << 17)
def _content(file: Path, _size: int, _time: int) -> str:
    """The fingerprint of a file, read once as long as it does not change: a folder may hold the slices of many series."""
    return fingerprint(file)


def _write_failures(folder: Path, failures: Mapping[str, str]) -> None:
    if not failures:
        (folder / FAILURES).unlink(missing_ok=True)
        return
    with replacing(folder / FAILURES) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file).writerows([("scan", "reason"), *sorted(failures.items())])
