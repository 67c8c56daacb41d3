"""A scan that does not fit into memory is refused from its header, with what it needs and what there is."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writer import phantom, save, slices

from umaddpm_core.errors import InputError, NeverFits, OutOfMemory
from umaddpm_core.preprocessing import memory
from umaddpm_core.preprocessing.available_memory import MemoryState
from umaddpm_core.preprocessing.memory import PROGRAM_BYTES, RESERVE_BYTES, examination, needed_bytes, require_memory
from umaddpm_core.preprocessing.reading import read_scan

SIZE = (100, 100, 100)
NEEDED = needed_bytes(10**6)


@pytest.fixture
def there_is(monkeypatch):
    """Sets what there is and what of it is free; stands for a computer of that size."""

    def set_(total: int, free: int) -> None:
        monkeypatch.setattr(memory, "memory_state", lambda: MemoryState(total, free))

    return set_


def test_what_fits_is_let_through(there_is):
    there_is(NEEDED + PROGRAM_BYTES + RESERVE_BYTES, NEEDED + RESERVE_BYTES)
    require_memory(SIZE, "scan")


def test_what_never_fits_is_told_from_what_does_not_fit_now(there_is):
    there_is(NEEDED + PROGRAM_BYTES + RESERVE_BYTES - 1, 10**12)
    with pytest.raises(NeverFits, match=r"^scan has 100 × 100 × 100 voxels, for which 0\.8 GB .* has 0\.8 GB for one; resample it .*\.$"):
        require_memory(SIZE, "scan")
    there_is(10**12, NEEDED + RESERVE_BYTES - 1)
    with pytest.raises(OutOfMemory, match=r"for which 0\.8 GB .* has 0\.8 GB free now; try again later\.$"):
        require_memory(SIZE, "scan")


def test_memory_is_not_promised_twice(there_is):
    there_is(10**12, NEEDED + RESERVE_BYTES)
    with examination():
        require_memory(SIZE, "scan")
        require_memory(SIZE, "its mask")
        with examination(), pytest.raises(OutOfMemory, match="has 0.0 GB free now"):
            require_memory(SIZE, "another scan")
    require_memory(SIZE, "another scan")


def test_the_setting_is_a_size(monkeypatch):
    monkeypatch.setenv("UMADDPM_MEMORY", "1000M")
    with pytest.raises(NeverFits, match=r"has 0\.0 GB for one"):
        require_memory(SIZE, "scan")
    monkeypatch.setenv("UMADDPM_MEMORY", "much")
    with pytest.raises(InputError, match="UMADDPM_MEMORY is 'much'"):
        require_memory(SIZE, "scan")


def header_only(path, size):
    """A file that claims this size and holds nothing of it."""
    header = nib.Nifti1Image(np.zeros((1, 1, 1), np.int16), np.eye(4)).header
    header.set_data_shape(size)
    path.write_bytes(gzip.compress(header.binaryblock + bytes(4)))
    return path


def test_no_voxel_is_read_before(tmp_path, there_is):
    there_is(10**12, NEEDED)
    with pytest.raises(OutOfMemory, match=r"^big.nii.gz has 400 × 400 × 300 voxels"):
        read_scan(header_only(tmp_path / "big.nii.gz", (400, 400, 300)))
    (tmp_path / "big.nrrd").write_bytes(
        b"NRRD0004\ntype: int16\ndimension: 3\nspace: left-posterior-superior\nsizes: 400 400 300\n"
        b"space directions: (0.5,0,0) (0,0.5,0) (0,0,0.5)\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    with pytest.raises(OutOfMemory, match=r"^big.nrrd has 400 × 400 × 300 voxels"):
        read_scan(tmp_path / "big.nrrd")


def test_series_and_images_in_memory_are_looked_at_as_well(tmp_path, there_is):
    save(slices(phantom()), tmp_path / "series")
    there_is(10**12, 0)
    for source in (tmp_path / "series", sitk.Image([100, 100, 100], sitk.sitkFloat32)):
        with pytest.raises(OutOfMemory, match="free now"):
            read_scan(source)
