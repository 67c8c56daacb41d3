"""The command line as a user meets it."""

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.preprocessing.reading import read_scan, same_grid
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN


def umaddpm(*arguments):
    return subprocess.run([sys.executable, "-m", "umaddpm_core.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def test_help_lists_every_command_with_an_example():
    result = umaddpm("--help")
    assert result.returncode == 0 and "Research use only" in result.stdout
    for command in ("detect", "serve", "download", "preprocess", "train", "calibrate", "build-template", "train-brain-extractor"):
        assert command in result.stdout
        assert f"Example: umaddpm {command}" in umaddpm(command, "--help").stdout


def test_help_loads_nothing_heavy():
    program = "import sys, umaddpm_core.cli.main; print([m for m in ('torch', 'monai', 'SimpleITK', 'numpy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60).stdout.strip() == "[]"


def test_detect_writes_everything_on_the_scans_grid(small_scan, tiny_model, tmp_path):
    out = tmp_path / "out"
    result = umaddpm("detect", small_scan, "-o", out, "--model", tiny_model)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "anomaly_map.nii.gz", "examined.nii.gz", "mask.nii.gz", "overview.png", "reconstruction.nii.gz", "report.json",
    ]  # fmt: skip
    for name in ("mask", "reconstruction", "anomaly_map", "examined"):
        assert same_grid(sitk.ReadImage(str(out / f"{name}.nii.gz")), read_scan(small_scan).image), name
    assert "Research use only" in result.stdout and "not examined" in result.stdout


@pytest.fixture
def bad_scans(tmp_path):
    text = tmp_path / "text.nii.gz"
    text.write_text("not a scan")
    constant = tmp_path / "constant.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.full((70, 70, 70), 5, np.int16)), str(constant))
    return [tmp_path / "missing.nii.gz", text, constant]


def test_bad_input_gets_one_sentence_status_2_and_no_files(bad_scans, small_scan, tiny_model, tmp_path):
    out = tmp_path / "out"
    requests = [(scan,) for scan in bad_scans]
    requests += [(small_scan, "--threshold", "nonesuch"), (small_scan, "--model", "nonesuch"), (small_scan, "--score", "sideways")]
    for request in requests:
        model = () if "--model" in request else ("--model", tiny_model)
        result = umaddpm("detect", *request, *model, "-o", out)
        assert result.returncode == 2, request
        sentence = result.stderr.strip().splitlines()[-1]
        assert sentence.startswith("umaddpm: ") and sentence.endswith("."), result.stderr
        assert "Traceback" not in result.stderr
        assert not out.exists(), request


def test_version():
    assert umaddpm("--version").stdout.startswith("umaddpm ")


def test_detect_takes_an_atlas_and_refuses_what_is_none(sample, small_scan, tiny_model, tmp_path):
    out = tmp_path / "out"
    request = ("detect", small_scan, "-o", out, "--model", tiny_model, "--atlas")
    refused = umaddpm(*request, sample)
    assert refused.returncode == 2 and "seems to show a skull" in refused.stderr and not out.exists()
    taken = umaddpm(*request, TEMPLATE, "--atlas-brain", TEMPLATE_BRAIN)
    assert taken.returncode == 0, taken.stderr
