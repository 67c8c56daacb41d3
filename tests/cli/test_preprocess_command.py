"""`umaddpm preprocess` as a user meets it."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from umaddpm_core.data.cache import ArrayCache


@pytest.fixture
def cohort(small_scan, tmp_path):
    """A folder of two people, one of whose scans is none."""
    folder = tmp_path / "people"
    folder.mkdir()
    shutil.copy(small_scan, folder / "anna-T1.nii.gz")
    (folder / "bert-T1.nii.gz").write_text("no scan")
    shutil.copy(small_scan, folder / "anna-FLAIR.nii.gz")
    return folder


def test_prepares_what_can_be_and_names_the_rest(here, cohort, tmp_path):
    cache = tmp_path / "cache"
    status, out, err = here("preprocess", cohort, "-o", cache, "--workers", 1)
    assert status == 0, err
    assert "as folder (recognised): 2 T1 of 2 people" in out and "left out 1 FLAIR" in out
    assert "Prepared 1 of 2 scans" in out and "contact_sheet.png" in out
    assert "1 could not be prepared" in err and "bert-T1" in err
    assert [scan.name for scan in ArrayCache(cache).scans()] == ["anna-T1"]
    assert {"contact_sheet.png", "failures.csv", "index.json", "settings.json", "volumes"} <= {path.name for path in cache.iterdir()}

    status, out, err = here("preprocess", cohort, "-o", cache, "--coverage", "paper", "--no-bias-correction")
    assert status == 2 and "coverage was brain, is now paper" in err and "bias correction was on, is now off" in err


def test_nothing_prepared_is_status_2(here, cohort, tmp_path):
    (cohort / "anna-T1.nii.gz").unlink()
    status, out, err = here("preprocess", cohort, "-o", tmp_path / "cache")
    assert status == 2 and "None of the 1 scans could be prepared" in err
    status, out, err = here("preprocess", cohort, "-o", tmp_path / "cache", "--modality", "T2")
    assert status == 2 and "holds no scans of T2, only of" in err
    status, out, err = here("preprocess", tmp_path / "nowhere", "-o", tmp_path / "cache")
    assert status == 2 and "There is no folder" in err


def test_ctrl_c_stops_cleanly(cohort, tmp_path):
    for number in range(30):  # more than are done before the signal comes
        shutil.copy(cohort / "anna-T1.nii.gz", cohort / f"person{number}-T1.nii.gz")
    program = [sys.executable, "-m", "umaddpm_core.cli", "preprocess", str(cohort), "-o", str(tmp_path / "cache")]
    run = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "cache" / "settings.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "Traceback" not in err and "SIG" not in err, err
    assert not (tmp_path / "cache" / "index.json").exists()
