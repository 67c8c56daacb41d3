"""Calling HD-BET. Its weights cannot be had here, so the program is a double: a script that takes HD-BET's arguments and
marks every voxel that is not zero."""

import os
import stat
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.brain_extraction.hd_bet import WEIGHTS
from umaddpm_core.preprocessing.reading import read_scan, same_grid

DOUBLE = """#!{python}
import argparse, sys
import SimpleITK as sitk
parser = argparse.ArgumentParser()
parser.add_argument("-i"); parser.add_argument("-o"); parser.add_argument("-device")
for flag in ("--save_bet_mask", "--no_bet_image", "--disable_tta"):
    parser.add_argument(flag, action="store_true")
arguments = parser.parse_args()
assert arguments.save_bet_mask and arguments.no_bet_image
{action}
"""
MARK = 'sitk.WriteImage(sitk.ReadImage(arguments.i) > 0, arguments.o.replace(".nii.gz", "_bet.nii.gz"))'


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a double of the program on the path, and weights into a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def run(action=MARK, weights=True):
        program = tmp_path / "hd-bet"
        program.write_text(DOUBLE.format(python=sys.executable, action=action))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        if weights:
            folder = tmp_path / WEIGHTS / "fold_all"
            folder.mkdir(parents=True)
            (folder / "checkpoint_final.pth").touch()

    return run


def test_its_mask_comes_back_on_the_scans_grid(install, small_scan):
    install()
    scan = sitk.Flip(sitk.PermuteAxes(read_scan(small_scan).image, [2, 0, 1]), [True, False, False])
    mask, way = brain_mask(scan, extraction="hd-bet")
    assert way == "hd-bet" and same_grid(mask, scan)
    assert np.array_equal(sitk.GetArrayFromImage(mask) > 0, sitk.GetArrayFromImage(scan) > 0)


def test_without_the_program_it_says_how_to_install_it(monkeypatch, small_scan):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="pip install hd-bet"):
        brain_mask(read_scan(small_scan).image, extraction="hd-bet")


def test_without_weights_it_gives_the_command_that_gets_them(install, tmp_path, small_scan):
    install(weights=False)
    with pytest.raises(InputError, match=r"curl -L 'https://zenodo.org/.*unzip hd-bet.zip -d ") as error:
        brain_mask(read_scan(small_scan).image, extraction="hd-bet")
    assert str(tmp_path / WEIGHTS) in str(error.value)


def test_its_failure_is_told_in_its_own_words(install, small_scan):
    install(action='sys.exit("the checkpoint does not fit")')
    with pytest.raises(InputError, match="HD-BET failed: the checkpoint does not fit"):
        brain_mask(read_scan(small_scan).image, extraction="hd-bet")
