"""Bad scans: one sentence each."""

import gzip

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.modality import modality_from_name
from umaddpm_core.preprocessing.reading import read_scan, same_grid, scan_name


def write(path, voxels, spacing=None):
    image = sitk.GetImageFromArray(voxels)
    if spacing:
        image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return path


def noise(*shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def missing(folder):
    return folder / "missing.nii.gz"


def text(folder):
    path = folder / "text.nii.gz"
    path.write_text("this is a shopping list\n" * 100)
    return path


def truncated(folder):
    path = write(folder / "whole.nii.gz", noise(80, 80, 80))
    cut = folder / "truncated.nii.gz"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return cut


def flat(folder):
    return write(folder / "flat.nii.gz", noise(128, 128))


def series(folder):
    image = sitk.JoinSeries([sitk.GetImageFromArray(noise(70, 70, 70))] * 3)
    sitk.WriteImage(image, str(folder / "series.nii.gz"))
    return folder / "series.nii.gz"


def not_a_number(folder):
    voxels = noise(70, 70, 70)
    voxels[3, 4, 5] = np.nan
    return write(folder / "nan.nii.gz", voxels)


def constant(folder):
    return write(folder / "constant.nii.gz", np.full((70, 70, 70), 7, np.float32))


def no_spacing(folder):
    path = write(folder / "spaced.nii", noise(70, 70, 70))
    header = bytearray(path.read_bytes())
    header[80:92] = np.zeros(3, "<f4").tobytes()
    zero = folder / "spacing.nii"
    zero.write_bytes(header)
    return zero


def no_extent(folder):
    return write(folder / "slab.nii.gz", noise(3, 200, 200))


def folder_of_files(folder):
    return folder


def no_image(folder):
    path = folder / "scan.docx"
    path.write_bytes(b"PK")
    return path


BAD = [missing, text, truncated, flat, series, not_a_number, constant, no_spacing, no_extent, folder_of_files, no_image]


@pytest.mark.parametrize("make", BAD)
def test_a_bad_scan_gets_one_sentence(make, tmp_path):
    with pytest.raises(InputError) as caught:
        read_scan(make(tmp_path))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300


def test_a_gzip_that_is_no_image_is_refused(tmp_path):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(b"nothing of the kind" * 50))
    with pytest.raises(InputError, match="x.nii.gz cannot be read"):
        read_scan(path)


def test_the_geometry_survives(tmp_path):
    image = sitk.GetImageFromArray(noise(70, 80, 90))
    image.SetSpacing((1.0, 1.5, 2.0))
    image.SetOrigin((-3.0, 20.0, 7.5))
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.2, 0.1, -0.3)
    image.SetDirection(turn.GetMatrix())
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
        assert same_grid(read_scan(tmp_path / f"a{suffix}"), image)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("BraTS-GLI-00001-000-t1n.nii.gz", "T1"),
        ("patient07_T2W.nii.gz", "T2"),
        ("x-t2f.nii", "FLAIR"),
        ("case_t1ce.nii.gz", "contrast-enhanced T1"),
        ("scan.nii.gz", None),
        ("T1_to_T2.nii.gz", None),
        ("MATT2.nii.gz", None),
    ],
)
def test_modality_from_the_words_of_the_name(name, modality):
    assert modality_from_name(name) == modality


def test_scan_name_drops_the_whole_suffix():
    assert scan_name("/a/b.c/case.one.nii.gz") == "case.one" and scan_name("x.NRRD") == "x"
