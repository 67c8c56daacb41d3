"""What the server answers, typed. Whatever an answer lacks is empty or None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERDICTS = ("accepted", "corrected", "rejected")
ENDED = ("done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class ServerStatus:
    """What a server is and can do.

    Attributes:
        version: of the program.
        device: what it computes on, such as `cpu` or `cuda:0`; empty where it does not say.
        models, default_model: names that a detection can ask for.
        thresholds: calibrated names.
        has_jobs: whether detections are jobs, with progress and cancellation; else one request waits for its answer.
        ready: whether the model is loaded.
        waiting, running: detections at the moment.
    """

    url: str
    name: str
    version: str
    device: str
    models: tuple[str, ...]
    default_model: str
    modalities: tuple[str, ...]
    thresholds: tuple[str, ...]
    strategies: dict[str, str]
    trainers: tuple[str, ...]
    has_jobs: bool
    ready: bool
    waiting: int | None = None
    running: int | None = None


@dataclass(frozen=True)
class JobState:
    """Where a job stands on the server.

    Attributes:
        state: `queued`, `running` or one of `ENDED`.
        phase, step, steps: what it does now, the first step being 1.
        share: of the work, 0–1.
        position: in the queue, 1 being next.
        seconds_left: as the server estimates; None where it cannot yet.
        error: one sentence, where it failed.
        results: names of the files, once it is done.
    """

    id: str
    state: str
    phase: str
    step: int
    steps: int
    share: float
    position: int | None
    seconds_left: float | None
    error: str
    results: tuple[str, ...]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> JobState:
        return cls(
            id=str(answer["id"]),
            state=str(answer["state"]),
            phase=answer.get("phase") or "",
            step=int(answer.get("step") or 0),
            steps=int(answer.get("steps") or 0),
            share=float(answer.get("progress") or 0.0),
            position=answer.get("position"),
            seconds_left=answer.get("eta_seconds"),
            error=answer.get("error") or "",
            results=tuple(name for name in answer.get("links", {}) if name != "self"),
        )


@dataclass(frozen=True)
class Results:
    """The files of a detection by name (`mask`, `reconstruction`, `anomaly_map`, …), and its report."""

    files: dict[str, Path]
    report: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A scan of the server's datastore; `info` is what is known of it, `tags` are those of its labels."""

    image: str
    info: dict[str, Any]
    tags: tuple[str, ...] = ()

    @property
    def is_reviewed(self) -> bool:
        return "final" in self.tags


@dataclass(frozen=True)
class Review:
    """What a person says of a mask: one of `VERDICTS`, who says so, and why."""

    verdict: str
    reviewer: str
    comment: str = ""
    model: str = ""
    threshold: float | str | None = None

    def as_dict(self) -> dict[str, Any]:
        told = {"verdict": self.verdict, "reviewer": self.reviewer, "comment": self.comment, "model": self.model}
        return told if self.threshold is None else {**told, "threshold": self.threshold}


@dataclass(frozen=True)
class TrainingState:
    """A training on the server.

    Attributes:
        state: `RUNNING`, `SUBMITTED`, `DONE`, `ERROR` or `STOPPED`; empty where there was none.
        log: its last lines.
        started, ended: as the server writes the time.
        figures: what the trainer tells of itself, such as `epoch` and `total_epochs`.
    """

    state: str
    log: tuple[str, ...] = ()
    started: str = ""
    ended: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        return self.state in ("RUNNING", "SUBMITTED")


@dataclass(frozen=True)
class Versions:
    """The published versions of one model, the oldest first.

    Attributes:
        in_use: None for the model that the server came with.
        history: what was done, in order, each with `action`, `version`, `time` and `by`.
        candidate: the trained model that waits to be published, with `by`, `judgement` and `reasons`; None where none does.
        error: why nothing is known of them, in a sentence.
    """

    in_use: str | None
    versions: tuple[str, ...]
    history: tuple[dict[str, Any], ...]
    candidate: dict[str, Any] | None
    error: str = ""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Versions:
        lists = (tuple(answer.get(name, ())) for name in ("versions", "history"))
        return cls(answer.get("in_use"), *lists, answer.get("candidate"), answer.get("error", ""))


@dataclass(frozen=True)
class ModelList:
    """The models of a server.

    Attributes:
        default: name of the one in use.
        models: facts by name, such as `modalities`, `thresholds` with what each costs on healthy scans, and `provenance`.
        broken: files that cannot be used, with the reason.
        versions: by name of the model.
    """

    default: str
    models: dict[str, dict[str, Any]]
    broken: dict[str, str]
    versions: dict[str, Versions]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> ModelList:
        versions = {name: Versions.of(one) for name, one in answer.get("versions", {}).items()}
        models = {model["name"]: model for model in answer["models"]}
        return cls(answer["default"], models, dict(answer.get("broken", {})), versions)
