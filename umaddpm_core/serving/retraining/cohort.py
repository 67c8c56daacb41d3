"""Whom the server may learn from: scans of its datastore that somebody called healthy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from umaddpm_core.data.cohorts import MODALITIES, Scan
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading import read_scan

if TYPE_CHECKING:
    from umaddpm_core.serving.dicom.datastore import ArchiveDatastore
    from umaddpm_core.serving.durable_datastore import DurableDatastore

COHORT, HEALTHY = "cohort", "healthy"
"""Image info `{"cohort": "healthy"}` puts a scan into the cohort; labels play no part."""
FEWEST = {"training": 4, "validation": 1, "test": 2}
"""People that each part needs of every sequence that is trained."""


def healthy_cohort(datastore: DurableDatastore | ArchiveDatastore, holding: ExitStack) -> tuple[list[Scan], dict[str, str]]:
    """The healthy scans of a datastore, and by image why others that were called healthy are left out.

    Image info may also say `subject` (by default the image's id), `modality` (by default what the scan's header or name
    says) and `part` of the split.

    Args:
        datastore: of the server.
        holding: until it is closed, the scans stay on the disk; of an archive all of them are fetched.

    Raises:
        InputError: there is none.
    """
    scans, left_out = [], {}
    for image in sorted(datastore.list_images()):
        info = datastore.get_image_info(image)
        if info.get(COHORT) != HEALTHY:
            continue
        try:
            path = holding.enter_context(datastore.held(image))
            modality = info.get("modality") or read_scan(path).modality
        except InputError as error:
            left_out[image] = str(error)
            continue
        if modality not in MODALITIES:
            left_out[image] = f"Its sequence is not known; say `modality` ({' or '.join(MODALITIES)}) in its image info."
            continue
        scans.append(Scan(subject_of(image, info), modality, path, part=info.get("part")))
    if not scans:
        raise InputError('No scan of the datastore is called healthy; say so in its image info: {"cohort": "healthy"}.')
    return scans, left_out


def subject_of(image: str, info: Mapping[str, Any]) -> str:
    """The person whose scan an image is, as the array cache calls them."""
    return re.sub(r"[^A-Za-z0-9._+]", "_", str(info.get("subject") or image))
