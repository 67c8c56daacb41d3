"""SEG and Parametric Map lie on the source's slices, voxel for voxel, whatever the series is like."""

from __future__ import annotations

import shutil
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_writer import enhanced, phantom, save, slices
from pydicom.uid import generate_uid

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.parametric_map import parametric_map
from umaddpm_core.serving.dicom.segmentation import segmentation
from umaddpm_core.serving.dicom.source_series import source_series

UIDS = {"StudyInstanceUID": generate_uid(), "FrameOfReferenceUID": generate_uid()}
OBLIQUE = (0.2, -0.3, 0.1)


def shuffled(datasets: list) -> list:
    order = np.random.default_rng(3).permutation(len(datasets))
    return [datasets[number] for number in order]


SERIES = {
    "upright": lambda: slices(phantom(), **UIDS),
    "oblique": lambda: slices(phantom(turn=OBLIQUE), **UIDS),
    "sagittal and oblique": lambda: slices(phantom(turn=OBLIQUE, axes=(1, 2, 0)), **UIDS),
    "reversed order": lambda: slices(phantom(turn=OBLIQUE), **UIDS)[::-1],
    "no order": lambda: shuffled(slices(phantom(), **UIDS)),
    "one frame each, and said so": lambda: slices(phantom(), **UIDS, NumberOfFrames=1),
    "multi-frame, no order": lambda: [enhanced(phantom(turn=OBLIQUE), np.random.default_rng(1).permutation(22).tolist(), **UIDS)],
}


@pytest.fixture(params=SERIES)
def series(request, tmp_path) -> Path:
    return save(SERIES[request.param](), tmp_path / "series")


def slice_at(volume: sitk.Image, position: list[float]) -> np.ndarray:
    """The slice of a volume that begins at a place (mm), found by place alone."""
    index = np.array(volume.TransformPhysicalPointToContinuousIndex([float(value) for value in position]))
    assert np.abs(index - np.rint(index)).max() < 1e-3 and (np.rint(index[:2]) == 0).all()
    return sitk.GetArrayViewFromImage(volume)[int(np.rint(index[2]))]


def source_places(folder: Path) -> dict[tuple[str, int], list[float]]:
    """Where every frame of a series lies, by SOPInstanceUID and frame number, read without our reader."""
    places = {}
    for path in folder.iterdir():
        header = pydicom.dcmread(path)
        if "PerFrameFunctionalGroupsSequence" in header:
            for number, group in enumerate(header.PerFrameFunctionalGroupsSequence):
                places[header.SOPInstanceUID, number + 1] = group.PlanePositionSequence[0].ImagePositionPatient
        else:
            places[header.SOPInstanceUID, 1] = header.ImagePositionPatient
    return places


def through_a_file(result: pydicom.Dataset, folder: Path) -> Path:
    path = folder / "result.dcm"
    result.save_as(path, write_like_original=False)
    return path


def test_seg_matches_the_mask_on_every_source_slice(series, detection_in, tmp_path):
    detection = detection_in(series)
    seg = highdicom.seg.segread(through_a_file(segmentation(detection, source_series(series)), tmp_path))
    places = source_places(series)
    several = len({uid for uid, _ in places}) > 1
    for (uid, frame), position in places.items():
        if several:
            found = seg.get_pixels_by_source_instance([uid], assert_missing_frames_are_empty=True)
        else:
            found = seg.get_pixels_by_source_frame(uid, [frame], assert_missing_frames_are_empty=True)
        np.testing.assert_array_equal(found[0, ..., 0], slice_at(detection.mask, position))


def test_seg_says_where_each_frame_lies(series, detection_in, tmp_path):
    detection = detection_in(series)
    seg = pydicom.dcmread(through_a_file(segmentation(detection, source_series(series)), tmp_path))
    assert seg.NumberOfFrames == len(source_places(series))
    for frame, group in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence):
        position = group.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_array_equal(frame, slice_at(detection.mask, position))


def test_map_is_the_anomaly_map_to_the_last_bit(series, detection_in, tmp_path):
    detection = detection_in(series)
    written = pydicom.dcmread(through_a_file(parametric_map(detection, source_series(series)), tmp_path))
    shape = (written.NumberOfFrames, written.Rows, written.Columns)
    frames = np.frombuffer(written.FloatPixelData, np.float32).reshape(shape)
    assert len(frames) == len(source_places(series))
    for frame, group in zip(frames, written.PerFrameFunctionalGroupsSequence):
        position = group.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_array_equal(frame, slice_at(detection.anomaly_map, position))
    mapping = written.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)


def test_results_say_what_made_them_and_of_whom(detection_in, tmp_path):
    name = {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Jörg", "SliceThickness": 2.5}
    folder = save(slices(phantom(), **UIDS, **name), tmp_path / "series")
    detection, source = detection_in(folder), source_series(folder)
    header = pydicom.dcmread(next(folder.iterdir()))
    for written in (segmentation(detection, source), parametric_map(detection, source)):
        read = pydicom.dcmread(through_a_file(written, tmp_path))
        assert "research use only" in read.SeriesDescription.lower()
        assert str(read.PatientName) == "Müller^Jörg" and read.PatientID == header.PatientID
        assert read.StudyInstanceUID == UIDS["StudyInstanceUID"]
        assert read.FrameOfReferenceUID == UIDS["FrameOfReferenceUID"]
        assert read.ReferencedSeriesSequence[0].SeriesInstanceUID == header.SeriesInstanceUID != read.SeriesInstanceUID
        measures = read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        assert (measures.SliceThickness, measures.SpacingBetweenSlices) == (2.5, 4.0)
        assert (read.ManufacturerModelName, read.DeviceSerialNumber) == ("tiny", "0123456789ab")


def test_segment_is_coded_and_names_the_algorithm(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    seg = pydicom.dcmread(through_a_file(segmentation(detection_in(folder), source_series(folder)), tmp_path))
    assert seg.Modality == "SEG" and seg.SegmentationType == "BINARY"
    (segment,) = seg.SegmentSequence

    def code(sequence: str) -> tuple[str, str]:
        (item,) = segment[sequence].value
        return item.CodingSchemeDesignator, item.CodeValue

    assert code("SegmentedPropertyCategoryCodeSequence") == ("SCT", "49755003")
    assert code("SegmentedPropertyTypeCodeSequence") == ("SCT", "4147007")
    assert code("AnatomicRegionSequence") == ("SCT", "12738006")
    assert segment.SegmentAlgorithmType == "AUTOMATIC" and segment.SegmentAlgorithmName == "UMA-DDPM"
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmName == "UMA-DDPM" and algorithm.AlgorithmVersion == "0.1.0, tiny, weights 0123456789ab"
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"


def test_name_of_a_model_may_be_long(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    detection = detection_in(folder)
    detection.report["model"] = "m" * 200
    written = segmentation(detection, source_series(folder))
    version = written.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion
    assert len(version) <= 64 and version.endswith("m, weights 0123456789ab")


def test_the_same_result_has_the_same_identity_and_another_has_another(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    first, second = detection_in(folder), detection_in(folder)
    source = source_series(folder)
    assert segmentation(first, source).SOPInstanceUID == segmentation(second, source).SOPInstanceUID
    second.mask[0, 0, 0] = 1 - second.mask[0, 0, 0]
    assert segmentation(first, source).SOPInstanceUID != segmentation(second, source).SOPInstanceUID
    assert segmentation(first, source).SeriesInstanceUID != parametric_map(first, source).SeriesInstanceUID


def test_empty_mask_gives_no_seg(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    detection = detection_in(folder)
    detection.mask *= 0
    assert segmentation(detection, source_series(folder)) is None


def test_series_is_found_in_a_zip_and_by_one_of_its_files(detection_in, tmp_path):
    two = [save(slices(phantom(), **UIDS, SeriesNumber=number), tmp_path / "study" / str(number)) for number in (3, 4)]
    upload = Path(shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study"))
    chosen = source_series(upload, "4")
    assert chosen.header.SeriesNumber == 4 and len(chosen.headers) == 22
    assert source_series(two[0] / "IM000.dcm").header.SeriesNumber == 3
    assert segmentation(detection_in(upload, "4"), chosen) is not None


def test_scan_that_is_no_dicom_has_no_series(tmp_path):
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(phantom(), str(path))
    assert source_series(path) is None


@pytest.mark.parametrize("lacking", ["StudyInstanceUID", "FrameOfReferenceUID"])
def test_series_without_identifiers_is_refused(tmp_path, lacking):
    uids = {keyword: uid for keyword, uid in UIDS.items() if keyword != lacking}
    folder = save(slices(phantom(), **uids), tmp_path / "series")
    with pytest.raises(InputError, match=f"series lacks {lacking}"):
        source_series(folder)


def test_headers_that_break_the_standard_are_one_sentence(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    source = source_series(folder)
    for header in source.headers:
        header.PatientSex = "XYZ"
    with pytest.raises(InputError, match="break the standard"):
        segmentation(detection_in(folder), source)


def test_mask_of_another_grid_is_refused(detection_in, tmp_path):
    folder = save(slices(phantom(), **UIDS), tmp_path / "series")
    detection = detection_in(save(slices(phantom(size=(24, 20, 21)), **UIDS), tmp_path / "other"))
    with pytest.raises(InputError, match="24 × 20 × 21 voxels"):
        segmentation(detection, source_series(folder))
