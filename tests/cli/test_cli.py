"""The command line as a user meets it."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.cli.main import EXAMPLES
from umaddpm_core.detection.detection import VOLUMES
from umaddpm_core.preprocessing.reading import read_scan, same_grid
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN


def umaddpm(*arguments):
    return subprocess.run([sys.executable, "-m", "umaddpm_core.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def test_help_lists_every_command_with_an_example():
    result = umaddpm("--help")
    assert result.returncode == 0 and "Research use only" in result.stdout
    for command in (function.__name__.replace("_", "-") for function in EXAMPLES):
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
        "anomaly_map.nii.gz", "examined.nii.gz", "mask.nii.gz", "model_output.nii.gz", "overview.png",
        "reconstruction.nii.gz", "report.json", "structures.nii.gz",
    ]  # fmt: skip
    for name in VOLUMES:
        assert same_grid(sitk.ReadImage(str(out / f"{name}.nii.gz")), read_scan(small_scan).image), name
    assert "Research use only" in result.stdout and "not examined" in result.stdout


@pytest.fixture
def bad_scans(tmp_path, small_scan):
    text = tmp_path / "text.nii.gz"
    text.write_text("not a scan")
    truncated = tmp_path / "truncated.nii.gz"
    truncated.write_bytes(small_scan.read_bytes()[:4000])
    voxels = np.random.default_rng(0).random((70, 70, 70), dtype=np.float32)
    holed = voxels.copy()
    holed[3, 4, 5] = np.nan
    made = {
        "constant": np.full((70, 70, 70), 5, np.int16),
        "flat": voxels[0],
        "series": np.stack([voxels, voxels]),
        "nan": holed,
        "empty": np.zeros((70, 70, 70), np.int16),
    }
    for name, array in made.items():
        nib.save(nib.Nifti1Image(array.T, np.diag([2.0, 2, 2, 1])), tmp_path / f"{name}.nii.gz")
    point = nib.Nifti1Image(voxels, np.diag([2.0, 2, 2, 1]))
    point.header["pixdim"][1:4] = 0
    point.header["sform_code"] = point.header["qform_code"] = 0
    (tmp_path / "spacing.nii").write_bytes(point.header.binaryblock + bytes(4) + voxels.tobytes())
    return [tmp_path / "missing.nii.gz", text, truncated, tmp_path / "spacing.nii", *(tmp_path / f"{name}.nii.gz" for name in made)]


def test_bad_input_gets_one_sentence_status_2_and_no_files(bad_scans, small_scan, tiny_model, tmp_path, here):
    out = tmp_path / "out"
    fresh = umaddpm("detect", bad_scans[1], "-o", out, "--model", tiny_model)
    assert (fresh.returncode, len(fresh.stderr.splitlines())) == (2, 1), fresh.stderr
    requests = [(scan,) for scan in bad_scans]
    requests += [(small_scan, "--threshold", "nonesuch"), (small_scan, "--model", "nonesuch"), (small_scan, "--score", "sideways")]
    for request in requests:
        model = () if "--model" in request else ("--model", tiny_model)
        result = here("detect", *request, *model, "-o", out)
        assert result.status == 2, request
        (sentence,) = result.err.strip().splitlines()
        assert sentence.startswith("umaddpm: ") and sentence.endswith("."), result.err
        assert not out.exists(), request


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_computed(small_scan, tiny_model, tmp_path, here):
    file = tmp_path / "file"
    file.write_text("in the way")
    for output in (file, file / "below"):
        result = here("detect", small_scan, "-o", output, "--model", tiny_model)
        assert result.status == 2 and "is a file" in result.err and len(result.err.splitlines()) == 1
    result = here("preprocess", small_scan.parent, "-o", file)
    assert result.status == 2 and len(result.err.splitlines()) == 1 and file.read_text() == "in the way"


def test_extract_brain_writes_a_mask_on_the_scans_grid(small_scan, tmp_path, here):
    mask = tmp_path / "brain.nii.gz"
    result = here("extract-brain", small_scan, "-o", mask)
    assert result.status == 0 and "(stripped)" in result.out and "Research use only" in result.out
    assert same_grid(sitk.ReadImage(str(mask)), read_scan(small_scan).image)
    assert here("extract-brain", small_scan, "-o", tmp_path / "brain.txt").status == 2


def test_detect_takes_a_brain_mask_and_tells_the_quality(small_scan, tiny_model, tmp_path, here):
    mask = tmp_path / "brain.nii.gz"
    here("extract-brain", small_scan, "-o", mask)
    result = here("detect", small_scan, "-o", tmp_path / "out", "--model", tiny_model, "--brain", mask)
    assert result.status == 0, result.err
    assert "Quality: " in result.out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["quality"]["figures"]["brain_from"] == "given"
    assert all(reason in result.out for reason in report["quality"]["reasons"])


def test_version():
    assert umaddpm("--version").stdout.startswith("umaddpm ")


def test_detect_takes_an_atlas_and_refuses_what_is_none(sample, small_scan, tiny_model, tmp_path, here):
    out = tmp_path / "out"
    request = ("detect", small_scan, "-o", out, "--model", tiny_model, "--atlas")
    refused = here(*request, sample)
    assert refused.status == 2 and "seems to show a skull" in refused.err and not out.exists()
    taken = here(*request, TEMPLATE, "--atlas-brain", TEMPLATE_BRAIN)
    assert taken.status == 0, taken.err
