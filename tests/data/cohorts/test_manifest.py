"""Cohorts listed in a CSV file."""

import pytest

from umaddpm_core.data.cohorts import guessed_layout, read_cohort
from umaddpm_core.data.splits import cohort_parts
from umaddpm_core.errors import InputError


@pytest.fixture
def manifest(tmp_path):
    """Writes a CSV file beside the (empty) files a, b, c and mask."""
    for name in ("a", "b", "c", "mask"):
        (tmp_path / f"{name}.nii.gz").touch()

    def write(text):
        path = tmp_path / "cohort.csv"
        path.write_text(text, encoding="utf-8-sig")
        return path

    return write


def test_paths_count_from_the_file_and_parts_are_obeyed(manifest, tmp_path):
    file = manifest(
        "path,subject,modality,session,lesions,part\n"
        "a.nii.gz,P1,t1,2020,,test\n"
        "b.nii.gz,P1,T1,2021,,\n"
        f"{tmp_path / 'c.nii.gz'},P2,T2,,mask.nii.gz,\n"
    )
    assert guessed_layout(file) == "manifest"
    scans = read_cohort(file)
    assert [scan.name for scan in scans] == ["P1-2020-T1", "P1-2021-T1", "P2-T2"]
    assert [scan.healthy for scan in scans] == [True, True, False]
    assert scans[2].lesions == tmp_path / "mask.nii.gz"
    assert cohort_parts(scans, "manifest") == {"P1": "test", "P2": "test"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no column path and subject and modality"),
        ("path,subject\n", "no column modality"),
        ("path,subject,modality\n", "lists no scans"),
        ("path,subject,modality,age\na.nii.gz,P1,T1,30\n", "column 'age' that means nothing"),
        ("path,subject,modality\na.nii.gz,P1,T1\nd.nii.gz,P2,T1\n", "line 3: there is no file .*d.nii.gz"),
        ("path,subject,modality,lesions\na.nii.gz,P1,T1,d.nii.gz\n", "line 2: there is no file .*d.nii.gz"),
        ("path,subject,modality\n,P1,T1\n", "line 2: there is no path"),
        ("path,subject,modality\na.nii.gz,,T1\n", "line 2: there is no subject"),
        ("path,subject,modality\na.nii.gz,../P1,T1\n", "line 2: the subject '../P1' may have"),
        ("path,subject,modality\na.nii.gz,P1,T1\nb.nii.gz,P1,T1\n", "line 3: P1-T1 .* already in line 2"),
        ("path,subject,modality\na.nii.gz,P1,T1\na.nii.gz,P2,T1\n", "line 3: P2-T1 .* already in line 2"),
        ("path,subject,modality,part\na.nii.gz,P1,T1,exam\n", "line 2: there is no part 'exam'"),
        ("path,subject,modality,part\na.nii.gz,P1,T1,test\nb.nii.gz,P1,T2,training\n", "line 3: P1 is in the parts test and training"),
        ("path,subject,modality,part,lesions\na.nii.gz,P1,T1,training,mask.nii.gz\n", "line 2: P1 has lesions, so the part is"),
    ],
)  # fmt: skip
def test_a_wrong_manifest_gets_one_sentence_with_the_line(manifest, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read_cohort(manifest(text))


def test_what_is_no_csv_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a CSV manifest"):
        read_cohort(tmp_path / "missing.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="cannot be read as a CSV manifest"):
        read_cohort(tmp_path / "binary.csv")
