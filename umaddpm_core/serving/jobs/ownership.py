"""Whose a job is."""

from __future__ import annotations

from umaddpm_core.serving.jobs.job import Job
from umaddpm_core.serving.security.roles import Role
from umaddpm_core.serving.security.tokens import Holder


def is_open_to(job: Job, holder: Holder | None) -> bool:
    """Whether somebody may read, cancel and delete a job: who asked for it, and administrators; without tokens anybody.

    A job that was asked for while the server had no tokens is nobody's, and open to administrators alone once it has some.
    """
    return holder is None or holder.role >= Role.admin or job.owner == holder.name
