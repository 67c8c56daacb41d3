"""HTTP with the server: no Slicer, no Qt, nothing but the standard library."""

from .address import Address
from .answers import VERDICTS, Case, JobState, ModelList, Results, Review, ServerStatus, TrainingState, Versions
from .cancellation import Cancellation
from .errors import (
    BrokenOff,
    Busy,
    Cancelled,
    CertificateRefused,
    ClientError,
    NotAllowed,
    NotFound,
    NotOurServer,
    Refused,
    ServerFailed,
    Unreachable,
    WrongToken,
)
from .server import Client

__all__ = [
    "VERDICTS",
    "Address",
    "BrokenOff",
    "Busy",
    "Cancellation",
    "Cancelled",
    "Case",
    "CertificateRefused",
    "Client",
    "ClientError",
    "JobState",
    "ModelList",
    "NotAllowed",
    "NotFound",
    "NotOurServer",
    "Refused",
    "Results",
    "Review",
    "ServerFailed",
    "ServerStatus",
    "TrainingState",
    "Unreachable",
    "Versions",
    "WrongToken",
]
