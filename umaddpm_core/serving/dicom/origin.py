"""What a DICOM result says of the program, the model and the scan that it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from highdicom.content import AlgorithmIdentificationSequence
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.source_series import SourceSeries

ALGORITHM = "UMA-DDPM"
LONGEST = 64
"""Characters of a DICOM long string (LO)."""
LARGEST_NUMBER = 10_000_000
"""A series number beyond it, times 100, would not fit a DICOM integer string (IS)."""


@dataclass(frozen=True)
class Origin:
    """The model behind a result: its name, the hash of its weights, and the version of this package."""

    model: str
    weights: str
    version: str

    @classmethod
    def of(cls, report: dict[str, Any]) -> Origin:
        """The origin that the report of a detection names."""
        return cls(report["model"], report["weights"], report["package_version"])

    @property
    def algorithm_version(self) -> str:
        """Package version, model and hash of the weights, in the 64 characters that DICOM leaves."""
        start, end = f"{self.version}, ", f", weights {self.weights}"
        return f"{start}{self.model[: LONGEST - len(start) - len(end)]}{end}"

    def algorithm(self, threshold: dict[str, Any]) -> AlgorithmIdentificationSequence:
        """Name, family, version and threshold of the algorithm (PS3.3 table 10-19)."""
        return AlgorithmIdentificationSequence(
            ALGORITHM,
            codes.cid7162.ArtificialIntelligence,
            self.algorithm_version,
            parameters={name: str(threshold[name]) for name in ("score", "name", "value")},
        )

    def equipment(self) -> dict[str, str]:
        """The enhanced general equipment module, in the words of highdicom's constructors."""
        return {
            "manufacturer": ALGORITHM,
            "manufacturer_model_name": self.model[:LONGEST],
            "software_versions": self.version,
            "device_serial_number": self.weights,
        }


def identity(source: SourceSeries, place: int, kind: str, version: str, content: bytes) -> dict[str, Any]:
    """Numbers of a result and of the series of its own that it makes up.

    They depend on source and content only, so that a result that is stored twice is in the archive once.

    Args:
        place: last digit of the series number, which begins with that of the source.
        kind: of result.
        version: of the algorithm.
        content: voxels of the result.
    """
    parts = [source.header.SeriesInstanceUID, kind, version, hashlib.sha256(content).hexdigest()]
    number = int(source.header.get("SeriesNumber") or 0)
    return {
        "series_instance_uid": generate_uid(entropy_srcs=["series", *parts]),
        "series_number": (100 * number if 0 < number < LARGEST_NUMBER else 9000) + place,
        "sop_instance_uid": generate_uid(entropy_srcs=["instance", *parts]),
        "instance_number": 1,
    }


def in_character_set_of(source: SourceSeries, result: Dataset) -> None:
    """Let the result keep the patient's name in the letters that the source writes it with."""
    if "SpecificCharacterSet" in source.header:
        result.SpecificCharacterSet = source.header.SpecificCharacterSet


@contextmanager
def refusing_odd_headers() -> Iterator[None]:
    """Headers that break the standard make highdicom fail in many ways; each is one sentence here.

    Raises:
        InputError: any of these.
    """
    try:
        yield
    except InputError:
        raise
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"The headers of this DICOM series break the standard, so no DICOM result can refer to it ({type(error).__name__})."
        ) from error
