"""Finding the scans of a cohort, on folders that stand in for the published ones (empty files, exact names) and on real ones."""

import pytest

from umaddpm_core.data.cohorts import LAYOUTS, check_distinct, guessed_layout, read_cohort
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan


@pytest.fixture
def files(tmp_path):
    """Makes empty files of given names in a new folder."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def told(scans):
    """Name, lesion mask and brain mask of every scan."""
    return {scan.name: tuple(path and path.name for path in (scan.lesions, scan.brain)) for scan in scans}


@pytest.mark.parametrize("prefix", ["", "IXI-"])
def test_ixi(files, prefix):
    names = ("IXI002-Guys-0828", "IXI035-IOP-0873", "IXI175-HH-1570")
    folder = files(*(f"{prefix}{m}/{name}-{m}.nii.gz" for name in names for m in ("T1", "T2")), f"{prefix}T1/readme.nii.gz")
    assert guessed_layout(folder) == "ixi"
    assert list(told(read_cohort(folder))) == ["IXI002-T1", "IXI002-T2", "IXI035-T1", "IXI035-T2", "IXI175-T1"]


def test_brats_2021_and_2023(files):
    folder = files(
        *(f"training/BraTS2021_00000/BraTS2021_00000_{m}.nii.gz" for m in ("t1", "t1ce", "t2", "flair", "seg")),
        *(f"BraTS-GLI-00001-000/BraTS-GLI-00001-000-{m}.nii.gz" for m in ("t1n", "t1c", "t2w", "t2f", "seg")),
        *(f"BraTS-GLI-00001-001/BraTS-GLI-00001-001-{m}.nii.gz" for m in ("t1n", "t2w")),
    )
    assert guessed_layout(folder) == "brats"
    scans = read_cohort(folder)
    assert {scan.name: scan.lesions.name for scan in scans if scan.lesions and scan.modality in ("T1", "T2")} == {
        "BraTS2021_00000-T1": "BraTS2021_00000_seg.nii.gz",
        "BraTS2021_00000-T2": "BraTS2021_00000_seg.nii.gz",
        "BraTS-GLI-00001-000-T1": "BraTS-GLI-00001-000-seg.nii.gz",
        "BraTS-GLI-00001-000-T2": "BraTS-GLI-00001-000-seg.nii.gz",
    }
    assert {scan.modality for scan in scans} == {"T1", "T1c", "T2", "FLAIR"}
    assert {scan.subject for scan in scans} == {"BraTS2021_00000", "BraTS-GLI-00001"}
    assert not any(scan.healthy for scan in scans), "a tumour without a mask is no healthy brain"


def test_mslub_with_and_without_the_patient_in_file_names(files):
    folder = files(
        *(f"coregistered/patient01/{m}.nii.gz" for m in ("T1W", "T1WKS", "T2W", "FLAIR", "consensus_gt", "brainmask")),
        *(f"coregistered/patient02/patient02_{m}.nii.gz" for m in ("T2W", "consensus_gt", "brainmask")),
    )
    assert guessed_layout(folder) == "mslub"
    scans = told(scan for scan in read_cohort(folder) if scan.modality in ("T1", "T2"))
    assert scans["patient01-T1"] == scans["patient01-T2"] == ("consensus_gt.nii.gz", "brainmask.nii.gz")
    assert scans["patient02-T2"] == ("patient02_consensus_gt.nii.gz", "patient02_brainmask.nii.gz")


def test_bids_with_sessions_runs_and_derivatives(files):
    folder = files(
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-01/anat/sub-01_ce-gadolinium_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-1_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_run-2_T1w.nii.gz",
        "sub-02/ses-2/anat/sub-02_ses-2_T2w.nii",
        "derivatives/masks/sub-01/anat/sub-01_desc-brain_mask.nii.gz",
        "derivatives/masks/sub-01/anat/sub-01_space-T2w_desc-brain_mask.nii.gz",
        "derivatives/masks/sub-01/anat/sub-01_space-MNI152NLin6Asym_desc-brain_mask.nii.gz",
        "derivatives/masks/sub-02/ses-2/anat/sub-02_ses-2_label-lesion_mask.nii.gz",
    )
    assert guessed_layout(folder) == "bids"
    scans = read_cohort(folder)
    assert told(scans) == {
        "sub-01-T1": (None, "sub-01_desc-brain_mask.nii.gz"),
        "sub-01-T1c": (None, None),
        "sub-01-T2": (None, "sub-01_space-T2w_desc-brain_mask.nii.gz"),
        "sub-02-ses-1_run-1-T1": (None, None),
        "sub-02-ses-1_run-2-T1": (None, None),
        "sub-02-ses-2-T2": ("sub-02_ses-2_label-lesion_mask.nii.gz", None),
    }
    assert {scan.subject for scan in scans if scan.healthy} == {"sub-01"}


def test_any_folder_by_names(files):
    folder = files(
        "anna_T1.nii.gz", "anna_T2.nrrd", "anna_T1_brainmask.nii.gz",
        "T1/bert.mha",
        "carl/2020/T1.nii", "carl/2020/FLAIR.nii", "carl/2020/seg_on_T1.nii",
        "dora/dora-scan.nii.gz", "._anna_T1.nii.gz",
    )  # fmt: skip
    assert guessed_layout(folder) == "folder"
    scans = read_cohort(folder)
    assert told(scans) == {
        "anna-T1": (None, None),
        "anna-T2": (None, None),
        "bert-T1": (None, None),
        "carl-FLAIR": (None, None),
        "carl-T1": ("seg_on_T1.nii", None),
        "dora-unknown": (None, None),
    }
    assert {scan.subject for scan in scans if not scan.healthy} == {"carl"}


def test_a_lesion_mask_is_never_overlooked(files):
    with pytest.raises(InputError, match="eva-seg.nii.gz is named like a lesion mask, but no scan like eva"):
        read_cohort(files("anna-T1.nii.gz", "eva-seg.nii.gz"))


def test_dicom_series_are_scans_of_the_topmost_folder(tmp_path):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    for person in ("P1", "P2"):
        for number, description in enumerate(("T1 mprage", "T2 tse"), 1):
            series, folder = generate_uid(), tmp_path / person / "study" / str(number)
            folder.mkdir(parents=True)
            for slice_number in range(4):
                meta = FileMetaDataset()
                meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
                meta.MediaStorageSOPInstanceUID = generate_uid()
                file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
                file.is_little_endian, file.is_implicit_VR = True, False
                file.SOPClassUID, file.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
                file.SeriesInstanceUID, file.SeriesNumber, file.Modality = series, number, "MR"
                file.SeriesDescription = description
                file.save_as(folder / str(slice_number), write_like_original=False)
    scans = read_cohort(tmp_path)
    assert [(scan.name, scan.path.parent.name) for scan in scans] == [
        ("P1-T1", "1"), ("P1-T2", "2"), ("P2-T1", "1"), ("P2-T2", "2"),
    ]  # fmt: skip
    damaged = scans[0].path.parent / "0"
    damaged.write_bytes(damaged.read_bytes()[:150])
    assert [scan.name for scan in read_cohort(tmp_path)] == ["P1-T1", "P1-T2", "P2-T1", "P2-T2"], "costs its scan, not the list"
    with pytest.raises(InputError, match="damaged"):
        read_scan(read_cohort(tmp_path)[0].path)


def test_what_cannot_be_read_gets_one_sentence(files, tmp_path):
    with pytest.raises(InputError, match="There is no folder"):
        read_cohort(tmp_path / "nowhere")
    with pytest.raises(InputError, match="layouts are ixi, brats"):
        read_cohort(tmp_path, "nonesuch")
    for layout in LAYOUTS:
        with pytest.raises(InputError, match="holds no "):
            read_cohort(tmp_path, layout)
    files("a.nii.gz", "b.nii.gz")
    with pytest.raises(InputError, match="CSV manifest"):
        read_cohort(tmp_path)
    files("patient01/T2W.nii.gz", "BraTS2021_00000/BraTS2021_00000_t1.nii.gz")
    with pytest.raises(InputError, match="looks like brats and mslub; say which with --layout"):
        read_cohort(tmp_path)
    assert len(read_cohort(tmp_path, "mslub")) == 1


def test_one_scan_twice_is_refused_with_both_paths(files):
    folder = files("raw/patient01/T2W.nii.gz", "coregistered/patient01/T2W.nii.gz")
    with pytest.raises(InputError, match="patient01-T2 is there twice, as .*coregistered.* and .*raw"):
        check_distinct(read_cohort(folder))


@pytest.mark.data
def test_real_cohorts_are_recognised_and_no_person_counts_twice(real_data):
    counts = {"ixi": 207, "brats": 4, "mslub": 3, "lgg": 50}
    cohorts = {}
    for layout, count in counts.items():
        assert guessed_layout(real_data / layout) == layout
        cohorts[layout] = read_cohort(real_data / layout)
        check_distinct(cohorts[layout])
        assert len(cohorts[layout]) == count
        assert all(path.exists() for scan in cohorts[layout] for path in (scan.path, scan.lesions, scan.brain) if path)
    everyone = [scan.name for scans in cohorts.values() for scan in scans]
    assert len(everyone) == len(set(everyone))
    tumours = read_cohort(real_data / "brainix")
    assert told(tumours) == {
        "brainix-FLAIR": ("seg_on_FLAIR.nii.gz", None),
        "brainix-T1": ("seg_on_T1.nii.gz", None),
        "brainix-T2": (None, None),
    }
    assert not any(scan.healthy for scan in tumours)
