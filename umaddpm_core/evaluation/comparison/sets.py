"""The sets of cases of a comparison, found and made ready."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from umaddpm_core.data.cache import ArrayCache, CachedScan, is_cache
from umaddpm_core.data.cohorts import Scan, guessed_layout, read_cohort
from umaddpm_core.data.splits import DEVELOPMENT, cohort_parts
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.cases import VOXEL_ML
from umaddpm_core.evaluation.comparison.binding import cache_hash, hash_of, scans_hash
from umaddpm_core.evaluation.comparison.plan import CaseSet
from umaddpm_core.evaluation.protocol import CacheCases, CohortCases
from umaddpm_core.preprocessing.settings import PreprocessingSettings


@dataclass(frozen=True)
class PreparedSet:
    """A set of cases, ready to be judged; `labelled` is its array cache, where it has development cases to choose on."""

    name: str
    modality: str
    cases: CohortCases | CacheCases
    scans: list[Scan] | list[CachedScan]
    fingerprint: str
    labelled: ArrayCache | None = None

    def development_sizes(self) -> list[float]:
        """Volume in ml of the lesions of every development case."""
        if self.labelled is None:
            return []
        scans = [scan for scan in self.labelled.scans(DEVELOPMENT, self.modality) if scan.has_lesions]
        return [VOXEL_ML * int(np.count_nonzero(self.labelled.lesions(scan))) for scan in scans]


def prepared_set(chosen: CaseSet, preparation: PreprocessingSettings) -> PreparedSet:
    """A set's scans of the wanted part, those of a folder to be prepared as the model's own were.

    Raises:
        InputError: it holds none.
    """
    labelled = None
    if is_cache(chosen.source):
        cache = ArrayCache(chosen.source)
        scans = cache.scans(chosen.part if chosen.part != "all" else None, chosen.modality, synthetic=False)
        cases, found = CacheCases(cache), cache_hash(cache)
        labelled = cache if cache.scans(DEVELOPMENT, chosen.modality) else None
    else:
        layout = chosen.layout or guessed_layout(chosen.source)
        everyone = read_cohort(chosen.source, layout)
        parts = cohort_parts(everyone, layout)
        scans = [scan for scan in everyone if scan.modality == chosen.modality and chosen.part in ("all", parts[scan.subject])]
        cases, found = CohortCases(preparation), scans_hash(scans)
    if not scans:
        raise InputError(f"The set {chosen.name} holds no {chosen.modality} scans in the part {chosen.part!r} of {chosen.source}.")
    scans = sorted(scans, key=lambda scan: scan.name)[: chosen.limit]
    return PreparedSet(chosen.name, chosen.modality, cases, scans, hash_of([found, [scan.name for scan in scans]]), labelled)
