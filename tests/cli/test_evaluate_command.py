"""`umaddpm evaluate`, as it is typed."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk



@pytest.fixture
def cohort(tmp_path, small_scan):
    """Three people: one with a lesion, one with an empty mask, one whose scan cannot be read."""
    scan = sitk.ReadImage(str(small_scan), sitk.sitkFloat32)
    marked = np.zeros(sitk.GetArrayViewFromImage(scan).shape, np.uint8)
    middle = [side // 2 for side in marked.shape]
    marked[tuple(slice(m - 4, m + 4) for m in middle)] = 1
    voxels = sitk.GetArrayFromImage(scan)
    voxels[marked > 0] *= 0.4
    dark = sitk.GetImageFromArray(voxels)
    mask, empty = sitk.GetImageFromArray(marked), sitk.GetImageFromArray(np.zeros_like(marked))
    for image in (dark, mask, empty):
        image.CopyInformation(scan)
    for name, image in (("a-T1", dark), ("a-mask", mask), ("b-T1", scan), ("b-mask", empty)):
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    (tmp_path / "c-T1.nii.gz").write_bytes(b"no scan")
    lines = ["path,subject,modality,lesions,part", "a-T1.nii.gz,A,T1,a-mask.nii.gz,test", "b-T1.nii.gz,B,T1,b-mask.nii.gz,test"]
    (tmp_path / "cohort.csv").write_text("\n".join([*lines, "c-T1.nii.gz,C,T1,,test"]) + "\n")
    return tmp_path / "cohort.csv"


def test_cases_and_means_are_written(here, cohort, tiny_model, tmp_path):
    ended = here("evaluate", cohort, "-o", tmp_path / "out", "--model", tiny_model, "--workers", 0)
    assert ended.status == 0, ended.err
    assert "C-T1 is left out" in ended.err and "Research use only" in ended.out
    table = list(csv.DictReader((tmp_path / "out" / "cases.csv").open()))
    assert [row["subject"] for row in table] == ["A", "B"], ended.err
    assert 0 < float(table[0]["auprc"]) <= 1 and 0 <= float(table[0]["dice_synthetic_dice"]) <= float(table[0]["dice_oracle"]) + 0.05
    assert table[1]["auprc"] == "" and float(table[1]["psnr_brain"]) > 5
    report = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert report["means"]["psnr"]["people"] == 2 and report["means"]["auprc"]["people"] == 1
    assert report["means"]["psnr"]["low"] <= report["means"]["psnr"]["mean"] <= report["means"]["psnr"]["high"]
    assert 0 < report["pooled"]["auprc"] <= 1 and report["model"] == tiny_model.stem
    assert {entry["name"] for entry in report["thresholds"]} == {"healthy_scans_10", "healthy_fpr_1", "synthetic_dice"}


def test_a_cache_is_evaluated_too(here, tiny_cache, tiny_model, tmp_path):
    ended = here("evaluate", tiny_cache.folder, "-o", tmp_path / "out", "--model", tiny_model, "--workers", 0)
    assert ended.status == 0, ended.err
    report = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert report["cases"] == 1 and "auprc" not in report["means"] and report["means"]["marked_ml_synthetic_dice"]["mean"] >= 0


def test_people_who_trained_the_model_are_told(here, tiny_cache, tiny_model, tmp_path):
    ended = here("evaluate", tiny_cache.folder, "-o", tmp_path / "out", "--model", tiny_model, "--part", "training", "--workers", 0)
    trained = sorted({scan.subject for scan in tiny_cache.scans("training")})
    assert f"{len(trained)} of these people have the names of people who trained the model ({trained[0]}" in ended.err
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["trained_the_model"] == trained


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--part", "development"), "of T1 there are 3 test"),
        (("--modality", "T2"), "is not calibrated for T2"),
        (("--score", "nonesuch"), "There is no score"),
    ],
)
def test_bad_input_gets_one_sentence(here, cohort, tiny_model, tmp_path, arguments, sentence):
    ended = here("evaluate", cohort, "-o", tmp_path / "out", "--model", tiny_model, *arguments)
    assert ended.status == 2 and sentence in ended.err and not (tmp_path / "out").exists()
