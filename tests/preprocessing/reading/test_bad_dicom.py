"""DICOM that makes up no volume, or no MR scan of a head: one sentence that names what is wrong."""

import numpy as np
import pytest
from dicom_writer import enhanced, phantom, save, slices
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, MRSpectroscopyStorage, generate_uid

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan


def moved(dataset, *by):
    dataset.ImagePositionPatient = (np.array(dataset.ImagePositionPatient, float) + by).tolist()
    return dataset


def missing_slice():
    datasets = slices(phantom())
    del datasets[8]
    return datasets


def uneven_gap():
    datasets = slices(phantom())
    return [moved(dataset, 0, 0, 1.5 * (number > 8)) for number, dataset in enumerate(datasets)]


def several_gaps():
    datasets = slices(phantom())
    return [dataset for number, dataset in enumerate(datasets) if number not in (4, 11, 12)]


def mixed_orientations():
    uid = generate_uid()
    return slices(phantom(), SeriesInstanceUID=uid) + slices(phantom(axes=(1, 2, 0)), SeriesInstanceUID=uid)[:6]


def not_parallel():
    datasets = slices(phantom())
    datasets[5].ImageOrientationPatient = [1, 0, 0, 0, 0.995, 0.0999]
    return datasets


def mixed_sizes():
    uid = generate_uid()
    return slices(phantom(), SeriesInstanceUID=uid) + slices(phantom((30, 20, 22)), SeriesInstanceUID=uid)


def mixed_spacings():
    datasets = slices(phantom())
    datasets[5].PixelSpacing = [3.5, 3.1]
    return datasets


def two_echoes():
    uid = generate_uid()
    return slices(phantom(), SeriesInstanceUID=uid) + slices(phantom(), SeriesInstanceUID=uid, EchoTime=80)


def one_slice_twice():
    datasets = slices(phantom())
    return datasets + slices(phantom(), SeriesInstanceUID=datasets[0].SeriesInstanceUID)[3:4]


def tilted():
    return [moved(dataset, 0, 0.7 * number, 0) for number, dataset in enumerate(slices(phantom()))]


def changed(**elements):
    return lambda: slices(phantom(), **elements)


def without(keyword):
    def make():
        datasets = slices(phantom())
        delattr(datasets[4], keyword)
        return datasets

    return make


def unknown_compression():
    datasets = slices(phantom())
    for dataset in datasets:
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        dataset.PixelData = encapsulate([b"no picture" * 10])
        dataset["PixelData"].is_undefined_length = True
    return datasets


def enhanced_gap():
    return [enhanced(phantom(), [number for number in range(22) if number != 9])]


BAD = {
    missing_slice: "lacks 1 slice: 8.00 mm lie between IM007.dcm and IM008.dcm, elsewhere 4.00 mm",
    uneven_gap: "unevenly spaced slices: 5.50 mm lie between IM008.dcm and IM009.dcm, elsewhere 4.00 mm",
    several_gaps: r"lacks 2 slices: 12.00 mm .* \(and 1 more uneven steps\)",
    mixed_orientations: "mixes orientations: 22 axial, 6 sagittal",
    not_parallel: "its 22 axial slices are not parallel",
    mixed_sizes: "different sizes: 22 of 24 × 20, 22 of 30 × 20 voxels",
    mixed_spacings: "different voxel spacings: 21 of 3 × 3.5, 1 of 3.1 × 3.5 mm",
    two_echoes: r"2 slices at each of 22 positions \(several echoes",
    one_slice_twice: "several slices in one place, such as IM003.dcm and IM022.dcm",
    tilted: r"is tilted: .* up to 14.7 mm \(9.9°\)",
    enhanced_gap: "lacks 1 slice: 8.00 mm lie between frame 9 of IM000.dcm and frame 10 of IM000.dcm",
    changed(Modality="CT"): r"is a CT \(DICOM Modality CT\)",
    changed(Modality="SEG"): "is not an MR scan .*SEG",
    changed(Modality=""): "Modality empty",
    changed(SOPClassUID=MRSpectroscopyStorage): "holds no image, but MR Spectroscopy",
    changed(BodyPartExamined="KNEE"): "shows no head: .* KNEE",
    changed(BodyPartExamined="C SPINE"): "shows no head: .* CSPINE",
    changed(PixelSpacing=[0.01, 0.01]): "voxel spacing of 0.01 × 0.01 × 4 mm",
    changed(PixelSpacing=[0, 0]): "voxel spacing of 0 × 0 × 4 mm",
    changed(SamplesPerPixel=3): "3 values per voxel",
    changed(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]): "is a mosaic",
    changed(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]): "not perpendicular",
    without("ImagePositionPatient"): "IM004.dcm has no valid ImagePositionPatient",
    without("PixelSpacing"): "IM004.dcm has no valid PixelSpacing",
    without("PixelData"): "IM004.dcm cannot be decoded: .*without its pixel data",
    without("Rows"): "IM004.dcm holds no image",
    unknown_compression: "IM000.dcm cannot be decoded: .*JPEG 2000",
    lambda: slices(phantom())[:1]: "has only one slice",
    lambda: slices(phantom())[:4]: "covers only 72 × 70 × 16 mm",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__qualname__.split(".")[0])
def test_a_bad_series_gets_one_sentence(make, tmp_path):
    with pytest.raises(InputError, match=BAD[make]) as caught:
        read_scan(save(make(), tmp_path / "study"))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_a_truncated_file_is_named(kept, tmp_path):
    folder = save(slices(phantom()), tmp_path / "study")
    file = folder / "IM011.dcm"
    content = file.read_bytes()
    file.write_bytes(content[: max(150, int(kept * len(content)))])
    with pytest.raises(InputError, match="IM011.dcm"):
        read_scan(folder)


def test_a_truncated_enhanced_file_is_named(tmp_path):
    file = save([enhanced(phantom(), range(22))], tmp_path / "study") / "IM000.dcm"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(InputError, match="IM000.dcm cannot be decoded"):
        read_scan(file)


def test_a_damaged_number_in_the_header_is_no_crash(tmp_path):
    folder = save(slices(phantom(), NumberOfFrames="1"), tmp_path)
    file = folder / "IM002.dcm"
    file.write_bytes(file.read_bytes().replace(b"\x28\x00\x08\x00IS\x02\x001 ", b"\x28\x00\x08\x00IS\x02\x00xx"))
    with pytest.raises(InputError, match="IM002.dcm is damaged"):
        read_scan(folder)


def test_several_series_are_listed_and_one_is_asked_for(tmp_path):
    save(slices(phantom(), SeriesNumber=2, SeriesDescription="T1 ax"), tmp_path / "1")
    save(slices(phantom(), SeriesNumber=5, SeriesDescription="T2 ax"), tmp_path / "2")
    save(slices(phantom(), SeriesNumber=1, SeriesDescription="scout")[:1], tmp_path / "3")
    with pytest.raises(InputError) as caught:
        read_scan(tmp_path)
    assert '--series, by number or UID: 1 "scout" (MR, 1 slice); 2 "T1 ax" (MR, 22 slices); 5 "T2 ax" (MR' in str(caught.value)
    with pytest.raises(InputError, match='has no series \'7\'; it holds 1 "scout"'):
        read_scan(tmp_path, series="7")


def test_series_with_the_same_number_are_listed_by_their_uid(tmp_path):
    first, second = slices(phantom()), slices(phantom())
    save(first, tmp_path / "1")
    save(second, tmp_path / "2")
    for series in (None, "3"):
        with pytest.raises(InputError, match=first[0].SeriesInstanceUID) as caught:
            read_scan(tmp_path, series=series)
        assert second[0].SeriesInstanceUID in str(caught.value)
    assert read_scan(tmp_path, series=second[0].SeriesInstanceUID).name.endswith("series 3")


def test_what_else_there_is_is_listed_where_there_is_no_mr(tmp_path):
    save(slices(phantom(), Modality="CT", SeriesNumber=1), tmp_path / "1")
    save(slices(phantom(), Modality="RTSTRUCT", SeriesNumber=2)[:1], tmp_path / "2")
    with pytest.raises(InputError, match=r'holds no MR images; it holds 1 "Phantom" \(CT, 22 slices\); 2 .*RTSTRUCT'):
        read_scan(tmp_path)


def test_slices_that_are_not_exactly_even_are_taken(tmp_path):
    datasets = [moved(dataset, 0, 0, 0.02 * (-1) ** number) for number, dataset in enumerate(slices(phantom()))]
    assert read_scan(save(datasets, tmp_path)).image.GetSpacing()[2] == pytest.approx(4, abs=5e-3)
