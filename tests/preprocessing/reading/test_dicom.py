"""DICOM comes back with the voxels and the place it was written with."""

import random

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writer import assert_same_scan, enhanced, phantom, save, slices

from umaddpm_core.preprocessing.reading import read_scan

ORIENTATIONS = {
    "axial": phantom(),
    "sagittal": phantom(axes=(1, 2, 0)),
    "coronal": phantom(axes=(0, 2, 1)),
    "oblique": phantom(turn=(0.3, -0.2, 0.4)),
    "double oblique sagittal, thin": phantom((64, 70, 90), (1.1, 0.9, 0.8), (0.1, 0.2, -0.3), (1, 2, 0)),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_series_comes_back_where_it_was(orientation, tmp_path):
    image = ORIENTATIONS[orientation]
    scan = read_scan(save(slices(image), tmp_path / "series"))
    assert_same_scan(scan.image, image)
    assert scan.image.GetPixelID() == sitk.sitkFloat32
    assert scan.name == "series, series 3" and scan.warnings == ()


def test_the_names_of_the_files_do_not_matter(tmp_path):
    image = phantom(turn=(0.3, -0.2, 0.4))
    names = [f"{number:08x}" for number in range(22)]
    random.Random(1).shuffle(names)
    assert_same_scan(read_scan(save(slices(image), tmp_path, names)).image, image)


def test_a_series_is_found_in_nested_folders_beside_other_files(tmp_path):
    image = phantom()
    datasets = slices(image)
    save(datasets[:10], tmp_path / "DICOM" / "A")
    save(datasets[10:], tmp_path / "DICOM" / "B")
    (tmp_path / "readme.txt").write_text("exported")
    assert_same_scan(read_scan(tmp_path).image, image)


def test_one_file_stands_for_its_series(tmp_path):
    image, other = phantom(), phantom(axes=(1, 2, 0))
    save(slices(image), tmp_path, [f"a{number}" for number in range(22)])
    save(slices(other, SeriesNumber=4), tmp_path, [f"b{number}" for number in range(22)])
    assert_same_scan(read_scan(tmp_path / "a7").image, image)
    assert_same_scan(read_scan(tmp_path / "b0").image, other)


def test_intensities_are_rescaled(tmp_path):
    image = phantom()
    scan = read_scan(save(slices(image, slope=0.37, intercept=-50), tmp_path))
    assert_same_scan(scan.image, image, tolerance=0.37 / 2 + 1e-3)


def test_every_slice_is_rescaled_by_its_own_header(tmp_path):
    image = phantom()
    datasets = [slices(image, slope=1 + number / 10)[number] for number in range(22)]
    for dataset in datasets:
        dataset.SeriesInstanceUID = datasets[0].SeriesInstanceUID
    assert_same_scan(read_scan(save(datasets, tmp_path)).image, image, tolerance=1.6)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_an_enhanced_file_comes_back_where_it_was(orientation, tmp_path):
    image = ORIENTATIONS[orientation]
    order = list(range(image.GetDepth()))
    save([enhanced(image, order)], tmp_path / "straight")
    assert_same_scan(read_scan(tmp_path / "straight/IM000.dcm").image, image)
    random.Random(2).shuffle(order)
    assert_same_scan(read_scan(save([enhanced(image, order)], tmp_path / "shuffled")).image, image)


def test_frames_of_an_enhanced_file_are_rescaled_one_by_one(tmp_path):
    image = phantom()
    file = enhanced(image, range(21, -1, -1), slopes=[1 + number / 10 for number in range(22)])
    assert_same_scan(read_scan(save([file], tmp_path)).image, image, tolerance=1.6)


def test_an_enhanced_file_tells_the_same_facts(tmp_path):
    scan = read_scan(save([enhanced(phantom(), range(22))], tmp_path))
    assert scan.modality == "T1"
    assert scan.tags == {
        "Modality": "MR", "ScanningSequence": "SE", "RepetitionTime": "500", "EchoTime": "9", "FlipAngle": "90",
    }  # fmt: skip


def test_a_series_is_chosen_by_number_uid_or_description(tmp_path):
    image, other = phantom(), phantom(axes=(1, 2, 0))
    save(slices(image, SeriesNumber=2, SeriesDescription="T1 ax"), tmp_path / "1")
    datasets = slices(other, SeriesNumber=5, SeriesDescription="T2 sag")
    save(datasets, tmp_path / "2")
    for series in ("5", datasets[0].SeriesInstanceUID, "T2 sag"):
        scan = read_scan(tmp_path, series=series)
        assert_same_scan(scan.image, other)
        assert scan.modality == "T2" and scan.name.endswith(", series 5")
    assert_same_scan(read_scan(tmp_path, series="T1 ax").image, image)


def test_a_localiser_and_what_is_no_image_are_passed_over(tmp_path):
    image = phantom()
    save(slices(image), tmp_path / "1")
    save(slices(phantom())[:1], tmp_path / "2")
    save(slices(phantom(), Modality="SEG", SeriesNumber=9), tmp_path / "3")
    scan = read_scan(tmp_path)
    assert_same_scan(scan.image, image)
    assert len(scan.warnings) == 1 and "localiser" in scan.warnings[0] and "1 slice" in scan.warnings[0]


def test_facts_are_kept_and_the_patient_is_not(tmp_path):
    facts = {"RepetitionTime": 2300, "EchoTime": 2.98, "InversionTime": 900, "FlipAngle": 9, "Manufacturer": "ACME",
             "ScanningSequence": ["GR", "IR"], "MagneticFieldStrength": 3, "BodyPartExamined": "HEAD", "SequenceName": ""}  # fmt: skip
    scan = read_scan(save(slices(phantom(), StudyDate="20200601", PatientBirthDate="19800602", **facts), tmp_path))
    assert scan.tags == {
        "Modality": "MR", "BodyPartExamined": "HEAD", "SeriesDescription": "Phantom", "ScanningSequence": "GR\\IR",
        "RepetitionTime": "2300", "EchoTime": "2.98", "InversionTime": "900", "FlipAngle": "9", "PatientAge": "039Y",
        "Manufacturer": "ACME", "MagneticFieldStrength": "3",
    }  # fmt: skip
    assert "Doe" not in repr(scan) and "4711" not in repr(scan)


@pytest.mark.parametrize(("birth", "age"), [("20190501", "013M"), ("20180601", "002Y"), ("20300101", None), ("", None)])
def test_the_age_is_computed_where_only_dates_are_given(birth, age, tmp_path):
    scan = read_scan(save(slices(phantom(), StudyDate="20200601", PatientBirthDate=birth), tmp_path))
    assert scan.tags.get("PatientAge") == age


def test_lossy_compression_is_a_warning(tmp_path):
    scan = read_scan(save(slices(phantom(), LossyImageCompression="01"), tmp_path))
    assert "compressed with loss" in scan.warnings[0]


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["brainix/FLAIR.nii.gz", "ixi/T1/IXI252-HH-1693-T1.nii.gz", "brats/TCGA-DU-7294/TCGA-DU-7294-t1n.nii.gz"]
)
def test_a_real_scan_comes_back_from_dicom(name, real_data, tmp_path):
    source = read_scan(real_data / name).image
    assert_same_scan(read_scan(save(slices(source), tmp_path / "series")).image, source, tolerance=0.5)
    file = enhanced(source, range(source.GetDepth()))
    assert_same_scan(read_scan(save([file], tmp_path / "enhanced")).image, source, tolerance=0.5)
    back = read_scan(tmp_path / "series").image
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(read_scan(tmp_path / "enhanced").image))
