"""Scans that are one file: read where they lie, and each bad one refused in one sentence."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
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


def tiny_spacing(folder):
    return write(folder / "microscope.nii.gz", noise(70, 70, 70), (0.01, 0.01, 0.01))


def huge_spacing(folder):
    return write(folder / "huge.nrrd", noise(10, 10, 10), (100.0, 100.0, 100.0))


def too_much_extent(folder):
    return write(folder / "body.mha", noise(100, 20, 20), (15.0, 15.0, 15.0))


def colour(folder):
    path = folder / "colour.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((70, 70, 70), [(channel, "u1") for channel in "RGB"]), np.eye(4)), path)
    return path


def colour_nrrd(folder):
    sitk.WriteImage(sitk.Compose([sitk.GetImageFromArray(noise(70, 70, 70))] * 3), str(folder / "colour.nrrd"))
    return folder / "colour.nrrd"


def not_a_number_mha(folder):
    voxels = noise(70, 70, 70)
    voxels[3, 4, 5] = np.inf
    return write(folder / "inf.mha", voxels)


def zeros(folder):
    return write(folder / "zeros.nii.gz", np.zeros((70, 70, 70), np.int16))


def ct(folder):
    voxels = (noise(70, 70, 70) * 100).astype(np.int16)
    voxels[:30] -= 1024
    return write(folder / "head.nii.gz", voxels)


def sheared(folder):
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 8 8 8\nencoding: raw\n"
    header += b"space directions: (10,0,0) (3,10,0) (0,0,10)\nspace origin: (0,0,0)\n\n"
    (folder / "sheared.nrrd").write_bytes(header + bytes(range(256)) * 2)
    return folder / "sheared.nrrd"


def empty_file(folder):
    (folder / "empty.mha").touch()
    return folder / "empty.mha"


def empty_folder(folder):
    return folder


def folder_without_scans(folder):
    (folder / "notes.txt").write_text("no scan")
    return folder


def folder_of_files(folder):
    write(folder / "a.nii.gz", noise(70, 70, 70))
    return write(folder / "b.nii.gz", noise(70, 70, 70)).parent


def no_image(folder):
    path = folder / "scan.docx"
    path.write_bytes(b"PK")
    return path


BAD = {
    missing: "There is no file",
    text: "text.nii.gz cannot be read",
    flat: "flat.nii.gz is not a volume: its size is 128 × 128",
    series: "series.nii.gz is a series of 3 volumes",
    not_a_number: "nan.nii.gz holds voxels that are not numbers",
    not_a_number_mha: "inf.mha holds voxels that are not numbers",
    constant: "constant.nii.gz is empty: every voxel is 7",
    zeros: "zeros.nii.gz is empty: every voxel is 0",
    no_spacing: "spacing.nii has a voxel spacing of 0 × 0 × 0 mm",
    tiny_spacing: "microscope.nii.gz has a voxel spacing of 0.01 × 0.01 × 0.01 mm",
    huge_spacing: "huge.nrrd has a voxel spacing of 100 × 100 × 100 mm",
    no_extent: "slab.nii.gz covers only 200 × 200 × 3 mm",
    too_much_extent: "body.mha covers 300 × 300 × 1500 mm",
    colour: "colour.nii.gz has 3 values per voxel",
    colour_nrrd: "colour.nrrd has 3 values per voxel",
    ct: "head.nii.gz looks like a CT",
    sheared: "sheared.nrrd is sheared: its axes are up to 16.7°",
    empty_file: "empty.mha cannot be read",
    empty_folder: "is empty; give",
    folder_without_scans: "holds no DICOM series",
    folder_of_files: "holds 2 image files and no DICOM series",
    no_image: "scan.docx is not a scan this program reads",
}


@pytest.mark.parametrize("make", BAD)
def test_a_bad_scan_gets_one_sentence(make, tmp_path):
    with pytest.raises(InputError, match=BAD[make]) as caught:
        read_scan(make(tmp_path))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300


def test_a_gzip_that_is_no_image_is_refused(tmp_path):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(b"nothing of the kind" * 50))
    with pytest.raises(InputError, match="x.nii.gz cannot be read"):
        read_scan(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("name", "voxels"),
    [("x.nii", "x.nii"), ("x.nii.gz", "x.nii.gz"), ("x.nrrd", "x.nrrd"), ("x.mha", "x.mha"), ("x.mhd", "x.*raw"), ("x.nhdr", "x.raw*")],
)
def test_a_truncated_file_is_refused(name, voxels, compressed, tmp_path):
    image = sitk.GetImageFromArray(noise(70, 70, 70))
    sitk.WriteImage(image, str(tmp_path / name), useCompression=compressed)
    (file,) = tmp_path.glob(voxels)
    content = file.read_bytes()
    for share in (0, 0.5, 0.999):
        file.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            read_scan(tmp_path / name)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
def test_what_is_too_large_is_refused_before_it_is_loaded(suffix, tmp_path):
    path = write(tmp_path / f"zeros{suffix}", np.zeros((2, 2, 2), np.uint8))
    content = gzip.decompress(path.read_bytes()) if suffix == ".nii.gz" else path.read_bytes()
    if suffix == ".nrrd":
        content = content.replace(b"sizes: 2 2 2", b"sizes: 2000 1000 1000")
    else:
        content = content[:42] + np.array([2000, 1000, 1000], "<i2").tobytes() + content[48:]
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    with pytest.raises(InputError, match=f"zeros{suffix} has 2000 million voxels; at most 134 million are read"):
        read_scan(path)


def test_a_series_cannot_be_chosen_in_a_single_file(tmp_path):
    with pytest.raises(InputError, match="a.nii.gz is a single volume"):
        read_scan(write(tmp_path / "a.nii.gz", noise(70, 70, 70)), series="3")


def test_a_nrrd_without_space_is_read_with_a_warning(tmp_path):
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\nspacings: 10 10 10\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(header + bytes(range(256)) * 2)
    assert "left and right" in read_scan(tmp_path / "a.nrrd").warnings[0]


def test_an_image_in_memory_is_a_scan(tmp_path):
    image = sitk.GetImageFromArray(noise(70, 70, 70))
    scan = read_scan(image)
    assert same_grid(scan.image, image) and (scan.name, scan.modality, scan.tags) == ("image in memory", None, {})


def test_the_geometry_survives(tmp_path):
    image = sitk.GetImageFromArray(noise(70, 80, 90))
    image.SetSpacing((1.0, 1.5, 2.0))
    image.SetOrigin((-3.0, 20.0, 7.5))
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.2, 0.1, -0.3)
    image.SetDirection(turn.GetMatrix())
    for suffix in (".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"):
        sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
        assert same_grid(read_scan(tmp_path / f"a{suffix}").image, image)


def test_scan_name_drops_the_whole_suffix():
    assert scan_name("/a/b.c/case.one.nii.gz") == "case.one" and scan_name("x.NRRD") == "x"
