"""HD-BET, the paper's brain extraction: a program and weights of its own, both the user's installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import SimpleITK as sitk
import torch

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.brain_extraction.masks import as_mask
from umaddpm_core.preprocessing.heads import upright

WEIGHTS = Path("hd-bet_params", "release_2.0.0")
"""Folder below the home directory where HD-BET 2 looks for its weights."""
WEIGHTS_URL = "https://zenodo.org/records/14445620/files/release_v1.5.0.zip?download=1"
TIME_LIMIT_S = 3600


def hd_bet_mask(image: sitk.Image) -> sitk.Image:
    """The brain of a scan with skull as HD-BET sees it: uint8 on the scan's grid.

    Raises:
        InputError: the program or its weights are not there, with the command that brings them; or it failed.

    Source: Isensee et al. 2019, Automated brain extraction of multisequence MRI using artificial neural networks.
    """
    program = shutil.which("hd-bet", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if program is None:
        raise InputError("HD-BET is not installed; install it with `pip install hd-bet`, or use the bundled brain extraction.")
    folder = Path.home() / WEIGHTS
    if not (folder / "fold_all" / "checkpoint_final.pth").is_file():
        raise InputError(
            f"HD-BET's weights are not in {folder}; get them with `mkdir -p {folder} && "
            f"curl -L '{WEIGHTS_URL}' -o hd-bet.zip && unzip hd-bet.zip -d {folder}`, or use the bundled brain extraction."
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as name:
        head, brain = Path(name, "head.nii.gz"), Path(name, "brain.nii.gz")
        sitk.WriteImage(upright(image), str(head))
        command = [program, "-i", head, "-o", brain, "-device", device, "--save_bet_mask", "--no_bet_image"]
        command += ["--disable_tta"] if device == "cpu" else []
        try:
            run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=TIME_LIMIT_S, cwd=name)
        except subprocess.TimeoutExpired as error:
            raise InputError(f"HD-BET did not end within {TIME_LIMIT_S // 60} minutes.") from error
        mask = Path(name, "brain_bet.nii.gz")
        if run.returncode or not mask.is_file():
            last = (run.stderr.strip() or run.stdout.strip() or "it wrote no mask").splitlines()[-1]
            raise InputError(f"HD-BET failed: {last}")
        found = sitk.ReadImage(str(mask), sitk.sitkUInt8)
    on_scan = sitk.Resample(found, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    return as_mask(sitk.GetArrayViewFromImage(on_scan) > 0, image)
