"""The main job: a scan goes in, a mask comes out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writer import save, slices

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection import Detector, shipped_models, write_detection
from umaddpm_core.detection.anomaly_map import mask_of
from umaddpm_core.detection.detection import VOLUMES
from umaddpm_core.errors import Cancelled, InputError
from umaddpm_core.preprocessing.reading import read_scan, same_grid


@pytest.fixture(scope="module")
def detector(tiny_model):
    return Detector.load(tiny_model)


@pytest.fixture(scope="module")
def detection(detector, small_scan):
    return detector.detect(small_scan)


def voxels(image):
    return sitk.GetArrayFromImage(image)


def test_everything_is_on_the_scans_own_grid(detection, small_scan):
    scan = read_scan(small_scan).image
    for name in VOLUMES:
        assert same_grid(getattr(detection, name), scan), name
    assert np.array_equal(voxels(detection.scan), voxels(scan))


def test_the_mask_is_the_map_above_the_threshold(detection, detector):
    lower = detector.rethreshold(detection, 0.02)
    score_map = voxels(lower.anomaly_map)
    voxel_mm3 = float(np.prod(lower.mask.GetSpacing()))
    expected = mask_of(score_map, 0.02, voxel_mm3)
    assert expected.any() and np.array_equal(voxels(lower.mask), expected.astype(np.uint8))
    assert (score_map[expected] > 0.02).all()
    assert lower.mask.GetPixelID() == sitk.sitkUInt8


def test_nothing_is_found_where_nothing_was_examined(detection):
    unseen = voxels(detection.examined) == 0
    assert not voxels(detection.anomaly_map)[unseen].any()
    assert 0 < detection.report["not_examined_percent"] < 40


def test_the_same_scan_gives_the_same_mask(detection, detector, small_scan):
    assert np.array_equal(voxels(detector.detect(small_scan).mask), voxels(detection.mask))


def test_another_threshold_needs_no_new_inference(detection, detector, small_scan):
    lower = detector.rethreshold(detection, 0.02)
    assert np.array_equal(voxels(lower.mask), voxels(detector.detect(small_scan, threshold=0.02).mask))
    assert lower.report["threshold"] == {"name": "user", "value": 0.02, "score": detection.report["threshold"]["score"]}


def test_lesions_add_up_to_the_mask(detection, detector):
    lower = detector.rethreshold(detection, 0.02)
    volume = np.count_nonzero(voxels(lower.mask)) * np.prod(lower.mask.GetSpacing()) / 1000
    assert lower.lesions and sum(lesion.volume_ml for lesion in lower.lesions) == pytest.approx(volume, rel=1e-3)
    assert [lesion.label for lesion in lower.lesions] == list(range(1, len(lower.lesions) + 1))
    assert lower.report["lesions"] == [lesion.as_dict() for lesion in lower.lesions]


def test_progress_rises_and_a_detection_can_be_stopped(detector, small_scan):
    steps = []
    detector.detect(small_scan, progress=lambda share, phase: steps.append((share, phase)))
    shares = [share for share, _ in steps]
    assert shares == sorted(shares) and shares[-1] == 1 and len({phase for _, phase in steps}) >= 3
    with pytest.raises(Cancelled):
        detector.detect(small_scan, cancelled=lambda: len(steps) > 0)


def test_the_report_says_what_was_done_and_that_it_is_for_research(detection, tmp_path):
    files = write_detection(detection, tmp_path / "out")
    assert set(files) == {*VOLUMES, "report", "overview"}
    report = json.loads(files["report"].read_text())
    assert "Research use only" in report["notice"]
    assert {"model", "package_version", "modality", "threshold", "quality", "timings", "brain_ml"} <= set(report)
    assert report["quality"]["verdict"] in ("ok", "check") and report["threshold"]["found"]
    note = sitk.ReadImage(str(files["mask"])).GetMetaData("descrip")
    assert note.startswith("UMA-DDPM") and report["model"] in note and "research use only" in note
    assert same_grid(sitk.ReadImage(str(files["mask"])), detection.scan)


def test_wrong_requests_are_refused_before_anything_is_computed(detector, small_scan, tmp_path):
    told = []
    for wrong in ({"threshold": "nonesuch"}, {"score": "sideways"}, {"modality": "T2"}):
        with pytest.raises(InputError):
            detector.detect(small_scan, progress=lambda *step: told.append(step), **wrong)
    flair = Path(shutil.copy(small_scan, tmp_path / "case-flair.nii.gz"))
    with pytest.raises(InputError, match="FLAIR"):
        detector.detect(flair, progress=lambda *step: told.append(step))
    assert told == []


def test_a_dicom_series_gives_what_its_scan_gives(detector, detection, tmp_path):
    folder = save(slices(detection.scan, LossyImageCompression="01", SeriesDescription="T1 ax"), tmp_path / "study")
    found = detector.detect(folder, series="3")
    assert found.report["scan"] == "study, series 3" and found.report["modality"] == "T1"
    assert "study, series 3 was compressed with loss, so fine detail may not be real." in found.report["quality"]["reasons"]
    assert found.report["modality_from"] == "scan"
    assert found.report["brain_ml"] == pytest.approx(detection.report["brain_ml"], rel=0.01)
    with pytest.raises(InputError, match="T2 scan by its DICOM header"):
        detector.detect(save(slices(detection.scan, SeriesDescription="T2 ax"), tmp_path / "other"))


def test_unknown_models_and_devices_are_refused(tiny_model, tmp_path):
    with pytest.raises(InputError, match="There is no model"):
        Detector.load("nonesuch")
    with pytest.raises(InputError, match="There is no device"):
        Detector.load(tiny_model, device="abacus")
    raw = Artefact.load(tiny_model)
    raw.calibration = {}
    with pytest.raises(InputError, match="not calibrated"):
        Detector.load(raw.save(tmp_path / "raw.safetensors"))


def test_the_shipped_model_finds_the_tumour_of_the_sample(sample, sample_truth):
    detection = Detector.load().detect(sample)
    mask, truth = voxels(detection.mask) > 0, voxels(sample_truth) > 0
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) >= 0.5
    biggest = detection.lesions[0]
    index = sample_truth.TransformPhysicalPointToIndex([-biggest.centroid_ras[0], -biggest.centroid_ras[1], biggest.centroid_ras[2]])
    assert sample_truth[index] == 1
    middle = -sample_truth.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in sample_truth.GetSize()])[0]
    assert biggest.side == ("left" if biggest.centroid_ras[0] < middle else "right") and biggest.structure.startswith("cerebral")
    assert all(length >= 2 for length in biggest.extent_mm) and biggest.as_dict()["place"] == f"{biggest.side} {biggest.structure}"


def test_shipped_models_carry_calibration_provenance_and_licence():
    for name, path in shipped_models().items():
        artefact = Artefact.load(path)
        assert artefact.calibration and artefact.provenance["subjects"] and "CC BY-SA 3.0" in artefact.licence, name
    assert set(shipped_models()) == {"uma_ddpm", "uma_ddpm_T1", "uma_ddpm_T2"}
    assert sum(path.stat().st_size for path in shipped_models().values()) < 30e6


@pytest.mark.data
@pytest.mark.parametrize(
    "scan",
    [
        "ixi/T1/IXI252-HH-1693-T1.nii.gz",
        "brainix/T1.nii.gz",
        "brats/TCGA-DU-7294/TCGA-DU-7294-t1n.nii.gz",
        "brats/BraTS-GLI-00001-000/BraTS-GLI-00001-000-t1n.nii.gz",
        "lgg/TCGA_CS_4943_20000902/TCGA_CS_4943_20000902-T1.nii.gz",
    ],
)
def test_real_scans_come_back_on_their_own_grid(scan, real_data, tiny_model, tmp_path):
    artefact = Artefact.load(tiny_model)
    artefact.preprocessing["bias_correction"] = True  # else the shading of one of them is more than the quality report takes
    detection = Detector.load(artefact.save(tmp_path / "tiny.safetensors")).detect(real_data / scan)
    for name in VOLUMES:
        assert same_grid(getattr(detection, name), read_scan(real_data / scan).image), name
    assert detection.report["not_examined_percent"] < 25
