"""Filling the array cache: in parallel, resumable, and never a mixture."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from quick_recipe import QuickRecipe

from umaddpm_core.data.cache import ArrayCache, parts_by_subject
from umaddpm_core.data.cohorts import Scan
from umaddpm_core.data.contrast import synthesise_t2
from umaddpm_core.data.preprocess import Recipe, fill_cache
from umaddpm_core.errors import InputError
from umaddpm_core.networks.contrast import ContrastTranslator
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.settings import PreprocessingSettings


@pytest.fixture
def copies(small_scan, tmp_path):
    """Makes copies of the small scan under other names."""

    def copy(*names):
        paths = [tmp_path / f"{name}-T1.nii.gz" for name in names]
        for path in paths:
            shutil.copy(small_scan, path)
        return [Scan(path.name.split("-")[0], "T1", path) for path in paths]

    return copy


@pytest.fixture
def mask(small_scan, tmp_path):
    """A cube of 30 mm in the middle of the small scan, on its grid."""
    scan = sitk.ReadImage(str(small_scan))
    voxels = np.zeros(scan.GetSize()[::-1], np.uint8)
    middle = [side // 2 for side in voxels.shape]
    voxels[tuple(slice(m - 5, m + 5) for m in middle)] = 4
    image = sitk.GetImageFromArray(voxels)
    image.CopyInformation(scan)
    sitk.WriteImage(image, str(tmp_path / "cube.nii.gz"))
    return tmp_path / "cube.nii.gz"


def everyone(scans, part="test"):
    return {scan.subject: part for scan in scans}


def test_a_lesion_mask_comes_to_the_models_grid_where_the_scan_does(small_scan, mask):
    prepared = Preprocessor().prepare(small_scan)
    truth = sitk.ReadImage(str(mask)) > 0
    lesions = prepared.mask_to_grid(truth)
    assert lesions.dtype == torch.bool and lesions.shape == prepared.volume.shape
    restored, truth = (sitk.GetArrayFromImage(image) > 0 for image in (prepared.restore_mask(lesions), truth))
    assert 2 * (restored & truth).sum() / (restored.sum() + truth.sum()) > 0.9


def test_the_cache_holds_lesions_and_what_it_was_filled_with(small_scan, mask, tmp_path):
    scans = [Scan("A", "T1", small_scan, lesions=mask, brain=mask, healthy=False), Scan("B", "T1", small_scan)]
    assert fill_cache(tmp_path / "cache", "test", scans, everyone(scans), recipe=QuickRecipe()) == {}
    cache = ArrayCache(tmp_path / "cache")
    (patient,), (person,) = cache.scans(healthy=False), cache.scans(healthy=True)
    assert patient.has_lesions and not person.has_lesions
    assert patient.quality["brain_from"] == "mask" and person.quality["brain_from"] == "stand-in"
    lesions = cache.lesions(patient)
    assert lesions.dtype == torch.uint8 and lesions.shape == cache.volume(patient).shape
    assert int(lesions.sum()) * 8 == pytest.approx(30**3, rel=0.1)
    assert cache.settings == PreprocessingSettings().model_dump()
    assert set(cache.fingerprints) == {"template", "template_brain", "brain_extractor"}


def test_what_one_scan_does_is_a_failure_of_that_scan_and_tried_again(copies, mask, small_scan, tmp_path):
    good, deadly = copies("good", "deadly")
    bad = tmp_path / "bad.nii.gz"
    bad.write_text("no scan")
    coarse = sitk.ReadImage(str(mask))
    coarse.SetSpacing([2.5] * 3)
    elsewhere = tmp_path / "elsewhere.nii.gz"
    sitk.WriteImage(coarse, str(elsewhere))
    scans = [good, deadly, Scan("bad", "T1", bad), Scan("shifted", "T1", small_scan, lesions=elsewhere, healthy=False)]
    cache = tmp_path / "cache"
    told = []
    failures = fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe(), progress=lambda *done: told.append(done))
    assert set(failures) == {"deadly-T1", "bad-T1", "shifted-T1"}
    assert "SIGKILL" in failures["deadly-T1"] and "memory" in failures["deadly-T1"]
    assert "elsewhere.nii.gz does not lie on the grid" in failures["shifted-T1"]
    assert told == [(n, 4) for n in range(5)]
    with (cache / "failures.csv").open(newline="") as file:
        assert {row["scan"]: row["reason"] for row in csv.DictReader(file)} == failures
    assert [scan.name for scan in ArrayCache(cache).scans()] == ["good-T1"]

    done = (cache / "volumes" / "good-T1.npz").stat().st_mtime_ns
    shutil.copy(good.path, bad)
    assert fill_cache(cache, "test", [good, scans[2]], everyone(scans), recipe=QuickRecipe()) == {}
    assert [scan.name for scan in ArrayCache(cache).scans()] == ["bad-T1", "good-T1"]
    assert (cache / "volumes" / "good-T1.npz").stat().st_mtime_ns == done
    assert not (cache / "failures.csv").exists()


def test_a_killed_run_goes_on_and_does_nothing_twice(copies, tmp_path):
    scans = copies(*(f"slow{n}" for n in range(4)))
    cache = tmp_path / "cache"
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
if __name__ == "__main__":
    from quick_recipe import QuickRecipe
    from umaddpm_core.data.cohorts import Scan
    from umaddpm_core.data.preprocess import fill_cache
    scans = [Scan(name, "T1", Path({str(tmp_path)!r}) / f"{{name}}-T1.nii.gz") for name in {[scan.subject for scan in scans]!r}]
    fill_cache(Path({str(cache)!r}), "test", scans, dict.fromkeys({[scan.subject for scan in scans]!r}, "test"), recipe=QuickRecipe())
"""
    (tmp_path / "fill.py").write_text(program)
    run = subprocess.Popen([sys.executable, str(tmp_path / "fill.py")])
    deadline = time.monotonic() + 120
    while not list(cache.glob("volumes/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = children(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    with pytest.raises(InputError, match="not complete yet"):
        ArrayCache(cache)
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert workers and not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker outlives its run"
    before = {path.name: path.stat().st_mtime_ns for path in cache.glob("volumes/*.npz")}
    assert 1 <= len(before) < 4
    assert fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe(), workers=2) == {}
    assert len(ArrayCache(cache).scans()) == 4
    assert {name: (cache / "volumes" / name).stat().st_mtime_ns for name in before} == before
    assert not list(cache.glob("volumes/.*"))


def children(parent):
    """Processes that `parent` started, without the one that only tracks its resources."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            ppid = int(status.read_text().rpartition(")")[2].split()[1])
            tracker = b"resource_tracker" in (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if ppid == parent and not tracker:
            found.append(int(status.parent.name))
    return found


def test_a_cache_is_never_a_mixture(copies, tmp_path):
    scans = copies("A")
    cache = tmp_path / "cache"
    fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe())
    before = sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*") if path.name != ".lock")
    paper = QuickRecipe(PreprocessingSettings(coverage="paper", curvature_flow=True))
    with pytest.raises(InputError, match=r"coverage was brain, is now paper; curvature flow was off, is now on.*--redo"):
        fill_cache(cache, "test", scans, everyone(scans), recipe=paper)
    template = tmp_path / "template.nii.gz"
    template.write_bytes(Recipe().template.read_bytes() + b"\0")
    with pytest.raises(InputError, match="template was .*, is now"):
        fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe(template=template))
    with pytest.raises(InputError, match="cohort was test, is now other"):
        fill_cache(cache, "other", scans, everyone(scans), recipe=QuickRecipe())
    assert before == sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*") if path.name != ".lock")
    (cache / "notes.txt").write_text("the user's own")
    fill_cache(cache, "test", scans, everyone(scans), recipe=paper, redo=True)
    assert ArrayCache(cache).settings["coverage"] == "paper"
    assert (cache / "notes.txt").exists()


def test_a_changed_scan_is_prepared_again_and_one_that_is_gone_leaves_the_index(copies, small_scan, tmp_path):
    scans = copies("A", "B")
    cache = tmp_path / "cache"
    fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe())
    scan = sitk.ReadImage(str(scans[0].path))
    sitk.WriteImage(scan * 2, str(scans[0].path))
    os.utime(scans[1].path, ns=(0, 0))  # as a copy of the folder would have another time
    before = {name: (cache / "volumes" / f"{name}-T1.npz").stat().st_mtime_ns for name in "AB"}
    fill_cache(cache, "test", scans, everyone(scans), recipe=QuickRecipe())
    after = {name: (cache / "volumes" / f"{name}-T1.npz").stat().st_mtime_ns for name in "AB"}
    assert after["A"] > before["A"] and after["B"] == before["B"]
    fill_cache(cache, "test", scans[1:], everyone(scans), recipe=QuickRecipe())
    assert [scan.subject for scan in ArrayCache(cache).scans()] == ["B"]
    assert parts_by_subject(cache) == {"B": "test"} and parts_by_subject(tmp_path) == {}


def test_folders_that_are_no_cache_or_an_older_one_are_left_alone(copies, tmp_path):
    scans = copies("A")
    (tmp_path / "volumes").mkdir()
    (tmp_path / "volumes" / "precious.npz").write_text("")
    for redo in (False, True):
        with pytest.raises(InputError, match="is no array cache, and not empty"):
            fill_cache(tmp_path, "test", scans, everyone(scans), recipe=QuickRecipe(), redo=redo)
    assert (tmp_path / "volumes" / "precious.npz").exists()
    old = tmp_path / "old"
    old.mkdir()
    (old / "index.json").write_text('{"format": 1, "cohort": "IXI", "scans": []}')
    with pytest.raises(InputError, match="of another version.*--redo"):
        fill_cache(old, "test", scans, everyone(scans), recipe=QuickRecipe())


def test_one_scan_under_two_paths_is_refused(copies, tmp_path):
    first, second = copies("A", "B")
    with pytest.raises(InputError, match="A-T1 is there twice"):
        fill_cache(tmp_path / "cache", "test", [first, Scan("A", "T1", second.path)], {"A": "test"}, recipe=QuickRecipe())
    assert not (tmp_path / "cache").exists()


def test_two_runs_do_not_fill_one_cache(copies, tmp_path):
    from umaddpm_core.data.binding import bound

    recipe, scans = QuickRecipe(), copies("A")
    with bound(tmp_path / "cache", "test", recipe.settings.model_dump(), recipe.fingerprints):
        with pytest.raises(InputError, match="Another run is filling"):
            fill_cache(tmp_path / "cache", "test", scans, everyone(scans), recipe=recipe)


def test_a_t2_on_the_grid_of_the_t1_is_there_a_second_time_voxel_by_voxel(small_scan, tmp_path):
    (tmp_path / "a-T2.nii.gz").write_bytes(small_scan.read_bytes())
    other = sitk.Shrink(sitk.ReadImage(str(small_scan)), [1, 1, 2])
    sitk.WriteImage(other, str(tmp_path / "b-T2.nii.gz"))
    scans = [Scan(who, "T1", small_scan) for who in "ab"] + [Scan(who, "T2", tmp_path / f"{who}-T2.nii.gz") for who in "ab"]
    assert fill_cache(tmp_path / "cache", "pairs", scans, everyone(scans), recipe=Recipe()) == {}
    cache = ArrayCache(tmp_path / "cache")
    assert {scan.name: scan.paired for scan in cache.scans()} == {"a-T1": False, "a-T2": True, "b-T1": False, "b-T2": False}
    t1, t2 = (scan for scan in cache.scans() if scan.subject == "a")
    assert torch.equal(cache.paired(t2), cache.volume(t1)), "the same scan under two names"


def test_synthetic_scans_stay_when_the_cache_is_filled_on_until_there_is_a_real_one(copies, tmp_path):
    scans, folder = copies("a", "b"), tmp_path / "cache"
    fill_cache(folder, "people", scans, everyone(scans, "training"), recipe=QuickRecipe())
    assert synthesise_t2(ArrayCache(folder), ContrastTranslator().eval()) == 2
    fill_cache(folder, "people", scans, everyone(scans, "training"), recipe=QuickRecipe())
    assert {scan.name for scan in ArrayCache(folder).scans(synthetic=True)} == {"a-T2-synthetic", "b-T2-synthetic"}
    real = [*scans, Scan("a", "T2", scans[0].path)]
    fill_cache(folder, "people", real, everyone(real, "training"), recipe=QuickRecipe())
    assert [scan.name for scan in ArrayCache(folder).scans(modality="T2")] == ["a-T2", "b-T2-synthetic"]


def test_a_t1_that_cannot_be_prepared_does_not_cost_the_t2(small_scan, tmp_path):
    (tmp_path / "a-T1.nii.gz").write_bytes(b"no scan")
    scans = [Scan("a", "T1", tmp_path / "a-T1.nii.gz"), Scan("a", "T2", small_scan)]
    failures = fill_cache(tmp_path / "cache", "people", scans, everyone(scans), recipe=Recipe())
    assert list(failures) == ["a-T1"] and [scan.paired for scan in ArrayCache(tmp_path / "cache").scans()] == [False]
