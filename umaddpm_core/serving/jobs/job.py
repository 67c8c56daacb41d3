"""What a job is."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any

from umaddpm_core.errors import InputError
from umaddpm_core.serving.parameters import Parameters

RESULTS = {
    "mask": "mask.nii.gz",
    "reconstruction": "reconstruction.nii.gz",
    "model_output": "model_output.nii.gz",
    "anomaly_map": "anomaly_map.nii.gz",
    "examined": "examined.nii.gz",
    "structures": "structures.nii.gz",
    "report": "report.json",
    "overview": "overview.png",
}
"""The files of a job that is done, by the name that a client asks for."""


class State(str, Enum):
    """Where a job stands. All but the first two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


@dataclass
class Job:
    """One detection that was asked for, as it is kept on disk.

    Attributes:
        id: 32 hexadecimal digits that nobody can guess.
        scan: file name of the scan.
        parameters: what the client asked for, by name; what it left open is missing.
        created, started, ended: seconds since 1970.
        error: one sentence where the job failed or was interrupted.
        from_memory: nothing had to be computed, because an earlier detection had the answer.
        size: bytes of the results.
    """

    scan: str
    parameters: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: State = State.QUEUED
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    from_memory: bool = False
    size: int = 0

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Job:
        """A job as it was kept; fields of another version do nothing.

        Raises:
            InputError: this is no job.
        """
        try:
            known = {item.name: kept[item.name] for item in fields(cls) if item.name in kept}
            return cls(**{**known, "state": State(known["state"])})
        except (TypeError, KeyError, ValueError) as error:
            raise InputError("This is not a job.") from error

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}

    def begin(self) -> None:
        """Note that the work has begun."""
        self.state, self.started = State.RUNNING, time.time()

    def end(self, state: State, error: str | None = None) -> None:
        """Give the job its final state."""
        self.state, self.error, self.ended = state, error, time.time()


def asked(parameters: Parameters) -> dict[str, Any]:
    """What a client asked for, by name. The file format is left out, as a job has all of its files in one."""
    return {
        name: value
        for name, value in asdict(parameters).items()
        if value is not None and value is not False and name != "result_extension"
    }
