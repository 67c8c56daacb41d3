"""Where a model's weights come from, for the model file."""

from __future__ import annotations

import os
from typing import Any

from umaddpm_core import __version__
from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.slices import chances


def provenance(config: TrainingConfig, cache: ArrayCache, start: Artefact | None = None) -> dict[str, Any]:
    """Which scans, prepared with which files, steps, seed and version made the weights, and what they started from.

    `synthetic_t2` says whether scans that a network made were among them, `synthetic_share` how large a share of all slices.
    """
    scans = [scan for scan in cache.scans("training", healthy=True) if scan.modality in config.modalities]
    real = [scan for scan in scans if not scan.synthetic]
    share = sum(chance for scan, chance in zip(scans, chances(scans, config.real_weight).tolist()) if scan.synthetic)
    return {
        "experiment": config.name,
        "preset": config.preset,
        "cohort": cache.cohort,
        "prepared_with": cache.fingerprints,
        "training_scans": {modality: sum(scan.modality == modality for scan in real) for modality in config.modalities},
        "synthetic_t2": len(real) < len(scans),
        "synthetic_scans": len(scans) - len(real),
        "synthetic_share": round(share, 3),
        "subjects": sorted({scan.subject for scan in scans}),
        "steps": config.steps,
        "slices": config.steps * config.batch,
        "processes": int(os.environ.get("WORLD_SIZE", 1)),
        "seed": config.seed,
        "package_version": __version__,
        "started_from": start.provenance if start else None,
    }
