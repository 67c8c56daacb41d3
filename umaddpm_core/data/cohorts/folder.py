"""Any folder of scans: whose they are and which sequence, as far as names and DICOM headers tell."""

from __future__ import annotations

import re
from pathlib import Path

from umaddpm_core.data.cohorts.scan import LABEL, Scan, listed
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import READABLE, scan_name
from umaddpm_core.preprocessing.reading.dicom import is_dicom
from umaddpm_core.preprocessing.reading.dicom.headers import find_series
from umaddpm_core.preprocessing.reading.dicom.tags import acquisition_tags
from umaddpm_core.preprocessing.reading.modality import CONTRAST, ENHANCED_T1, WORDS, modality_from_name, modality_from_tags

LESION_WORDS = {"seg", "segmentation", "lesion", "lesions", "tumour", "tumor"}
MASK_WORDS = {"mask", "brainmask", "label", "labels", "roi"}
SEQUENCE_WORDS = CONTRAST.union(*WORDS.values())
FEWEST_SLICES = 3
"""A DICOM series with fewer is taken for a localiser."""

LINKING_WORDS = {"on", "of"}
"""As in `seg_on_T1`."""

UNKNOWN = "unknown"


def folder(source: Path) -> list[Scan]:
    """The scans below `source`: NIfTI, NRRD and MetaImage files, and DICOM series in folders of their own.

    A person is called as the file is, without the words that name the sequence; or as the topmost folder, where nothing
    is left (`P1/2020/T1.nii.gz`), the file's name begins with it, or the scan is DICOM. A file with a word like `seg` or
    `lesions` is the lesion mask of the person, or of the sequence it also names; those with a word like `mask` or `labels`
    are left out. Sequences come from file names, else folder names, or from DICOM tags.

    Raises:
        InputError: no scans, none whose sequence is known, or a lesion mask without a scan.
    """
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    volumes = [path for path in files if path.name.lower().endswith(READABLE)]
    lesions = {_who(path, source): path for path in volumes if _words(scan_name(path)) & LESION_WORDS}
    patients = {subject for subject, _ in lesions}
    scans = _dicom_scans(source, [path for path in files if not path.name.lower().endswith(READABLE) and is_dicom(path)])
    for path in volumes:
        if not _words(scan_name(path)) & (LESION_WORDS | MASK_WORDS):
            subject, modality = _who(path, source)
            mask = lesions.get((subject, modality)) or lesions.get((subject, UNKNOWN))
            scans.append(Scan(subject, modality, path, mask, healthy=subject not in patients))
    if without := patients - {scan.subject for scan in scans}:
        masks = [path.name for (subject, _), path in lesions.items() if subject in without]
        raise InputError(f"{masks[0]} is named like a lesion mask, but no scan like {sorted(without)[0]}; use a CSV manifest.")
    if scans and all(scan.modality == UNKNOWN for scan in scans):
        raise InputError(f"No name below {source} says which sequence a scan is (T1, T2); list the scans in a CSV manifest.")
    return listed(scans, source, "scans")


def _who(path: Path, source: Path) -> tuple[str, str]:
    """Subject and modality that a volume's name and folders speak of."""
    stem = scan_name(path)
    above = path.relative_to(source).parts[:-1]
    named = (modality_from_name(name) for name in (stem, *reversed(above)))
    modality = _short(next((name for name in named if name), None))
    folders = [part for part in above if _left(part)]
    rest = _left(stem)
    if folders and (not rest or stem.startswith(folders[0])):
        rest = folders[0]
    return _label(rest or source.resolve().name), modality


def _dicom_scans(source: Path, files: list[Path]) -> list[Scan]:
    """One scan for each MR series of DICOM files; its person is the topmost folder. A damaged file costs the scan it
    belongs to, when that is read, and not the list."""
    places: dict[Path, list[Path]] = {}
    for path in files:
        places.setdefault(path.parent, []).append(path)
    scans = []
    for place, beside in places.items():
        above = place.relative_to(source).parts
        subject = _label(above[0] if above else source.resolve().name)
        for series in find_series(beside, past_damage=True):
            if series.is_mr and series.slices >= FEWEST_SLICES:
                modality = modality_from_tags(acquisition_tags(series.header)) or modality_from_name(place.name)
                scans.append(Scan(subject, _short(modality), series.files[0][0]))
    return scans


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))


def _left(name: str) -> str:
    """What of a name is not the sequence or a mask."""
    words = re.split(r"[-_. ]+", name)
    return "-".join(word for word in words if word.lower() not in SEQUENCE_WORDS | LESION_WORDS | MASK_WORDS | LINKING_WORDS)


def _short(modality: str | None) -> str:
    return {None: UNKNOWN, ENHANCED_T1: "T1c"}.get(modality, modality)


def _label(name: str) -> str:
    """The name as a file can be called after it."""
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-._+")
    return plain if LABEL.fullmatch(plain) else "scan"
