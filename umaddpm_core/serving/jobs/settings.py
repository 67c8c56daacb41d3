"""What an administrator can set about jobs, by environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.serving.environment import number
from umaddpm_core.serving.retention.settings import retention_hours


@dataclass(frozen=True)
class JobSettings:
    """Limits of the queue and of the folder with results.

    Attributes:
        workers: detections computed at once; `UMADDPM_WORKERS`, by default one per GPU, and one without a GPU.
        queue: detections that may wait, jobs and `/infer/anomaly` together; `UMADDPM_QUEUE`, by default 32.
        folder: where jobs are kept; `UMADDPM_JOBS`, by default the folder `jobs` beside the server's sessions.
        hours: how long an ended job is kept; `UMADDPM_JOBS_HOURS`, by default 24, and no longer than
            `UMADDPM_RETENTION_HOURS`.
        megabytes: the most that all jobs together may take on disk; `UMADDPM_JOBS_MB`, by default 4096. The job that
            ended last stays even where it alone is larger.
    """

    workers: int
    queue: int
    folder: Path
    hours: float
    megabytes: float

    @classmethod
    def from_environment(cls, default_folder: Path) -> JobSettings:
        """Read the variables.

        Raises:
            InputError: one is no number, or too small.
        """
        return cls(
            workers=int(number("UMADDPM_WORKERS", 0, least=1, whole=True)) or _devices(),
            queue=int(number("UMADDPM_QUEUE", 32, least=1, whole=True)),
            folder=Path(os.environ.get("UMADDPM_JOBS", "").strip() or default_folder),
            hours=min(number("UMADDPM_JOBS_HOURS", 24), retention_hours()),
            megabytes=number("UMADDPM_JOBS_MB", 4096),
        )


def _devices() -> int:
    import torch

    return max(1, torch.cuda.device_count())
