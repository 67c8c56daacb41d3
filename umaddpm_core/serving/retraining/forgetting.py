"""Takes a scan out of what trainings on the server keep."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from umaddpm_core.data.cache import INDEX, ArrayCache, volume_path, write_index
from umaddpm_core.data.cohorts import MODALITIES
from umaddpm_core.data.preprocess import FAILURES
from umaddpm_core.data.replacing import replacing
from umaddpm_core.serving.retraining.cohort import subject_of

PEOPLE, STATISTICS = "people.json", "statistics.json"


def forget_scan(work: Path, image: str, info: Mapping[str, Any], *, last_of_person: bool) -> list[str]:
    """Delete what the folder of the trainings holds of a scan: prepared volumes, and every mention of it.

    Where its sequence is not noted, the person's volumes of all sequences go; the next training prepares them again.
    A training that was stopped does not go on, as its scans are others now. Models that were published stay as they are.

    Args:
        info: of the image.
        last_of_person: whether no other scan of the datastore is of the same person.

    Returns:
        Names of the files that were deleted or changed.
    """
    subject = subject_of(image, info)
    names = {f"{subject}-{modality}" for modality in ([info["modality"]] if info.get("modality") else MODALITIES)}
    touched = [name for cache in sorted(work.glob("cache*")) for name in _out_of_cache(cache, names)]
    mentions = {image, *names}
    if last_of_person:
        mentions.add(subject)
        touched += _out_of_json(work / PEOPLE, mentions)
    touched += _out_of_json(work / STATISTICS, mentions)
    if touched:
        for run in work.glob("run-*"):
            shutil.rmtree(run, ignore_errors=True)
    return touched


def expire_preparations(work: Path, seconds: float) -> None:
    """Delete prepared volumes and runs that no training has written to within this time; the next one prepares them again."""
    for place in (*work.glob("cache*"), *work.glob("run-*")):
        if time.time() - max(file.stat().st_mtime for file in (place, *place.rglob("*"))) > seconds:
            shutil.rmtree(place, ignore_errors=True)


def _out_of_cache(cache: Path, names: Collection[str]) -> list[str]:
    touched = []
    if (cache / INDEX).exists():
        known = ArrayCache(cache).scans()
        kept = [scan for scan in known if scan.name not in names]
        if len(kept) < len(known):
            write_index(cache, kept)
            touched.append(INDEX)
    failures = cache / FAILURES
    if failures.exists():
        with failures.open(newline="") as file:
            rows = list(csv.reader(file))
        kept = [row for row in rows if row and row[0] not in names]
        if len(kept) < len(rows):
            with replacing(failures) as temporary, temporary.open("w", newline="") as file:
                csv.writer(file).writerows(kept)
            touched.append(FAILURES)
    for volume in (volume_path(cache, name) for name in sorted(names)):
        if volume.exists():
            volume.unlink()
            touched.append(volume.name)
    return touched


def _out_of_json(path: Path, mentions: Collection[str]) -> list[str]:
    """Take the keys that name the scan out of a file, wherever they stand in it."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    left = _without(content, mentions)
    if left == content:
        return []
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(left))
    return [path.name]


def _without(value: Any, mentions: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, mentions) for key, inner in value.items() if key not in mentions}
    return [_without(inner, mentions) for inner in value] if isinstance(value, list) else value
