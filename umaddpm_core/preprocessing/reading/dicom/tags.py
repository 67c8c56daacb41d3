"""What a DICOM header says of the acquisition, without anything that names the patient."""

from __future__ import annotations

from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from umaddpm_core.preprocessing.reading.dicom.frames import functional

KEYWORDS = (
    "Modality", "BodyPartExamined", "SeriesDescription", "ProtocolName", "SequenceName", "ScanningSequence",
    "SequenceVariant", "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "ContrastBolusAgent", "PatientAge",
    "Manufacturer", "MagneticFieldStrength",
)  # fmt: skip

IN_FUNCTIONAL_GROUPS = {
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
}
"""Where enhanced MR files keep what others have at the top (PS3.3 section C.8.13)."""

ECHOES = {"SPIN": "SE", "GRADIENT": "GR", "BOTH": "SE\\GR"}
"""EchoPulseSequence of enhanced files, in the words of ScanningSequence."""


def acquisition_tags(header: Dataset) -> dict[str, str]:
    """The facts named in `KEYWORDS`, as text, under their DICOM keywords; only those that are there.

    Several values are joined by a backslash, as in DICOM. Times are in ms, angles in degrees, the field in tesla.
    """
    found = {keyword: header.get(keyword) for keyword in KEYWORDS}
    for keyword, (group, name) in IN_FUNCTIONAL_GROUPS.items():
        found[keyword] = found[keyword] or functional(header, 0, group, name)
    found["SequenceName"] = found["SequenceName"] or header.get("PulseSequenceName")
    found["ScanningSequence"] = found["ScanningSequence"] or ECHOES.get(header.get("EchoPulseSequence"))
    if not found["ContrastBolusAgent"] and header.get("ContrastBolusAgentSequence"):
        found["ContrastBolusAgent"] = header.ContrastBolusAgentSequence[0].get("CodeMeaning")
    found["PatientAge"] = found["PatientAge"] or _age(header)
    texts = {keyword: _text(value) for keyword, value in found.items()}
    return {keyword: text for keyword, text in texts.items() if text}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (MultiValue, list)):
        return "\\".join(_text(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value).strip()


def _age(header: Dataset) -> str | None:
    """Age at the study as DICOM writes it: `045Y`, or in months below two years."""
    try:
        birth, study = (datetime.strptime(str(header[keyword].value), "%Y%m%d") for keyword in ("PatientBirthDate", "StudyDate"))
    except (KeyError, ValueError):
        return None
    months = 12 * (study.year - birth.year) + study.month - birth.month - (study.day < birth.day)
    if not 0 <= months < 12 * 130:
        return None
    return f"{months:03d}M" if months < 24 else f"{months // 12:03d}Y"
