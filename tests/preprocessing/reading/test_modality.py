"""Which sequence a scan is: from its name, and from DICOM tags."""

import pytest
from dicom_writer import phantom, save, slices

from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.reading.modality import modality_from_name, modality_from_tags


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("BraTS-GLI-00001-000-t1n.nii.gz", "T1"),
        ("patient07_T2W.nii.gz", "T2"),
        ("x-t2f.nii", "FLAIR"),
        ("case_t2_flair.nii", "FLAIR"),
        ("case_t1ce.nii.gz", "contrast-enhanced T1"),
        ("case_T1_Gd.nii.gz", "contrast-enhanced T1"),
        ("sub-01_ses-post_T1w.nii.gz", "T1"),
        ("sub_T1-post.nii", "contrast-enhanced T1"),
        ("t1_post_op.nii", "T1"),
        ("t2_star.nii.gz", None),
        ("T2_SWI.nii", None),
        ("IXI013-HH-1212-PD.nii.gz", "PD"),
        ("scan.nii.gz", None),
        ("T1_to_T2.nii.gz", None),
        ("T1_FLAIR.nii.gz", None),
        ("MATT2.nii.gz", None),
    ],
)
def test_modality_from_the_words_of_the_name(name, modality):
    assert modality_from_name(name) == modality


def tags(sequence="", repetition="", echo="", inversion="", description="", variant="", protocol="", agent=""):
    return {
        "ScanningSequence": sequence, "RepetitionTime": repetition, "EchoTime": echo, "InversionTime": inversion,
        "SeriesDescription": description, "SequenceVariant": variant, "ProtocolName": protocol, "ContrastBolusAgent": agent,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("acquired", "modality"),
    [
        (tags("SE", "550", "12"), "T1"),
        (tags("GR\\IR", "2300", "2.98", "900", variant="SK\\SP\\MP"), "T1"),
        (tags("GR", "8.2", "3.2", "450", variant="SS\\SP\\SK"), "T1"),
        (tags("SE", "4500", "100"), "T2"),
        (tags("SE", "3200", "408"), "T2"),
        (tags("SE\\IR", "9000", "120", "2500"), "FLAIR"),
        (tags("SE\\IR", "5000", "388", "1800"), "FLAIR"),
        (tags("SE", "2800", "20"), "PD"),
        (tags("IR\\SE", "2500", "10", "860", "T1 FLAIR"), "T1"),
        (tags("SE", "1500", "50"), None),
        (tags("GR", "600", "20", description="T2* ax"), None),
        (tags("GR", "6", "2.5", variant="SS"), None),
        (tags("EP", "5000", "90", description="ep2d"), None),
        (tags("SE\\IR", "5000", "60", "160"), None),
        (tags("GR", "24", "4", description="TOF 3D"), None),
        (tags(), None),
        (tags(description="t2_tse_tra"), "T2"),
        (tags(description="AX T2 FLAIR"), "FLAIR"),
        (tags(description="axial", protocol="T1 MPRAGE"), "T1"),
        (tags("SE", "550", "12", protocol="Brain T1 T2"), "T1"),
        (tags("SE", "4500", "100", description="T1 ax"), None),
        (tags("SE", "550", "12", agent="Gadovist"), "contrast-enhanced T1"),
        (tags("SE", "550", "12", agent="NONE"), "T1"),
        (tags("SE", "550", "12", description="T1 ax +C"), "contrast-enhanced T1"),
        (tags(description="T1 post GD"), "contrast-enhanced T1"),
        (tags(description="t1ce"), "contrast-enhanced T1"),
        (tags(description="T1 pre", agent="Gadovist"), None),
        (tags("SE\\IR", "9000", "120", "2500", agent="Gadovist"), "FLAIR"),
        (tags("SE", "abc", "12"), None),
    ],
)
def test_modality_from_the_tags(acquired, modality):
    assert modality_from_tags(acquired) == modality


def test_tags_are_believed_before_names(tmp_path):
    folder = save(slices(phantom(), ScanningSequence="SE", RepetitionTime="4500", EchoTime="100"), tmp_path / "T1")
    assert read_scan(folder).modality == "T2"
    unknown = save(slices(phantom()), tmp_path / "case-T1")
    assert read_scan(unknown).modality == "T1"
