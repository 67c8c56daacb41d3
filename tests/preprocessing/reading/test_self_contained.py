"""Image files that would have the server read other files are refused."""

import numpy as np
import pytest
import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.self_contained import HEADER_BYTES, require_self_contained

NRRD = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 8 8 8\nencoding: raw\n"
METAIMAGE = b"ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_UCHAR\n"


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz", ".nii"])
def test_ordinary_file_passes(tmp_path, suffix):
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 8, 8), np.uint8)), str(path))
    require_self_contained(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scan.nrrd", NRRD + b"data file: /etc/hostname\n\n"),
        ("scan.nrrd", NRRD.replace(b"\n", b"\r\n") + b"datafile: ../other.raw\r\n\r\n"),
        ("scan.nrrd", NRRD + b"# " + b"x" * HEADER_BYTES + b"\ndata file: /etc/hostname\n\n"),
        ("scan.mha", METAIMAGE + b"ElementDataFile = /etc/hostname\n"),
        ("scan.mha", METAIMAGE + b"Comment = " + b"x" * HEADER_BYTES + b"\nElementDataFile = /etc/hostname\n"),
        ("scan.nii.gz", METAIMAGE + b"ElementDataFile = LIST\n/etc/hostname\n"),
    ],
)
def test_file_that_names_another_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name} has its voxels in another file"):
        require_self_contained(path)


def test_a_folder_is_as_good_as_every_file_in_it(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 8, 8), np.uint8)), str(tmp_path / "scan.nii.gz"))
    require_self_contained(tmp_path)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "scan.nhdr").write_bytes(NRRD + b"data file: /etc/hostname\n\n")
    with pytest.raises(InputError, match="scan.nhdr has its voxels in another file"):
        require_self_contained(tmp_path)
