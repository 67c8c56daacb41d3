"""Filling the array cache from the scans of a cohort."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from umaddpm_core.data.cache import CachedScan, volume_path, write_index, write_volume
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.pipeline import Preprocessor


def fill_cache(
    folder: Path,
    cohort: str,
    scans: Sequence[Scan],
    parts: Mapping[str, str],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Prepare every scan that is not in the cache yet, then write the index.

    Args:
        folder: of the cache; a run that was stopped goes on where it was.
        cohort: name of the cohort, kept in the index.
        parts: part of the split by subject.
        workers: processes.
        progress: told how many of how many scans are done.

    Returns:
        The reason by name for every scan that could not be prepared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [scan for scan in scans if not _note(folder, scan.name).exists()]
    done = len(scans) - len(waiting)
    failures: dict[str, str] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_single_thread) as pool:
        jobs = {pool.submit(_prepare, folder, scan): scan for scan in waiting}
        for job in as_completed(jobs):
            done += 1
            reason = job.result()
            if reason:
                failures[jobs[job].name] = reason
            if progress:
                progress(done, len(scans))
    entries = [
        CachedScan(scan.name, scan.subject, scan.modality, parts[scan.subject], json.loads(_note(folder, scan.name).read_text()))
        for scan in sorted(scans, key=lambda scan: scan.name)
        if scan.name not in failures
    ]
    if not entries:
        raise InputError(f"None of the {len(scans)} scans could be prepared; the first: {next(iter(failures.values()))}")
    write_index(folder, cohort, entries)
    return failures


def _prepare(folder: Path, scan: Scan) -> str | None:
    """Why the scan could not be prepared, or nothing."""
    try:
        prepared = Preprocessor().prepare(scan.path)
    except InputError as error:
        return str(error)
    write_volume(folder, scan.name, prepared.volume)
    note = _note(folder, scan.name)
    temporary = note.with_name(f".{os.getpid()}.{note.name}")
    temporary.write_text(json.dumps(prepared.quality))
    os.replace(temporary, note)
    return None


def _note(folder: Path, name: str) -> Path:
    """The small file that says a scan is done, with its quality figures."""
    return volume_path(folder, name).with_suffix(".json")


def _single_thread() -> None:
    import SimpleITK as sitk
    import torch

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    torch.set_num_threads(1)
