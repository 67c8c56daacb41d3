"""BIDS: the Brain Imaging Data Structure, with brain and lesion masks among the derivatives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.data.cohorts.scan import Scan, listed

SUFFIXES = {"T1w": "T1", "T2w": "T2", "FLAIR": "FLAIR", "PDw": "PD"}
ON_THE_SCAN = (None, "orig", "individual")
"""Values of the entity `space` that say nothing of another grid."""


@dataclass(frozen=True)
class _File:
    """A file name taken apart: `sub-01_ses-1_T1w.nii.gz` has the entities sub and ses and the suffix T1w."""

    path: Path
    entities: dict[str, str]
    suffix: str

    @classmethod
    def of(cls, path: Path) -> _File:
        *pairs, suffix = path.name.split(".")[0].split("_")
        return cls(path, dict(pair.split("-", 1) for pair in pairs if "-" in pair), suffix)

    @property
    def acquisition(self) -> dict[str, str]:
        """The entities that say which acquisition it is, or is derived from."""
        return {key: value for key, value in self.entities.items() if key not in ("space", "desc", "label", "res")}


def bids(folder: Path) -> list[Scan]:
    """The scans `sub-*/[ses-*/]anat/*_T1w.nii.gz`, `*_T2w` … with the masks that belong to them.

    Masks are `*_desc-brain_mask.nii.gz` and `*_label-lesion_mask.nii.gz`, under `derivatives/` or beside the scan. One
    without the entity `space` belongs to the T1w scan of its acquisition, or to the T2w scan where there is no T1w;
    `space-T2w` says otherwise; masks in a template's space are left alone. Session, run and acquisition are kept apart as
    the session of a scan. A person with a lesion mask is no healthy one, whichever scan it was drawn on.
    """
    images = [_File.of(path) for path in [*folder.glob("sub-*/anat/*.nii*"), *folder.glob("sub-*/ses-*/anat/*.nii*")]]
    masks = [_File.of(path) for path in sorted(folder.rglob("sub-*_mask.nii*"))]
    acquired = [image for image in images if image.suffix in SUFFIXES and image.entities.get("part", "mag") == "mag"]
    suffixes: dict[tuple, set[str]] = {}
    for image in acquired:
        suffixes.setdefault(_key(image), set()).add(image.suffix)
    patients = {mask.entities["sub"] for mask in masks if mask.entities.get("label") == "lesion"}
    scans = []
    for image in acquired:
        own = [mask for mask in masks if _key(mask) == _key(image) and _grid_of(mask, suffixes[_key(image)]) == image.suffix]
        session = "_".join(f"{key}-{value}" for key, value in image.entities.items() if key not in ("sub", "ce"))
        enhanced = "c" if "ce" in image.entities else ""
        scans.append(
            Scan(
                subject=f"sub-{image.entities['sub']}",
                modality=SUFFIXES[image.suffix] + enhanced,
                path=image.path,
                lesions=_first(mask for mask in own if mask.entities.get("label") == "lesion"),
                session=session or None,
                brain=_first(mask for mask in own if mask.entities.get("desc") == "brain"),
                healthy=image.entities["sub"] not in patients,
            )
        )
    return listed(scans, folder, "BIDS scans (sub-01/anat/sub-01_T1w.nii.gz and so on)")


def _key(file: _File) -> tuple:
    return tuple(sorted(file.acquisition.items()))


def _grid_of(mask: _File, suffixes: set[str]) -> str | None:
    """The suffix of the scan whose grid a mask lies on."""
    space = mask.entities.get("space")
    if space in ON_THE_SCAN:
        return "T1w" if "T1w" in suffixes else "T2w"
    return space if space in suffixes else None


def _first(masks: Iterable[_File]) -> Path | None:
    return next((mask.path for mask in masks), None)
