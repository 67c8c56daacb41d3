"""What belongs to a case: by the id of its image, by the name of a file, or by a file's content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.preprocessing.reading.files import READABLE
from umaddpm_core.preprocessing.reading.source import ARCHIVE
from umaddpm_core.serving.jobs.job import Job
from umaddpm_core.serving.scan_identity import ScanIdentity, identity_of


@dataclass(frozen=True)
class Case:
    """A scan by its id, and by the digest of its file where there is one."""

    id: str
    content: str = ""

    def is_named(self, name: str) -> bool:
        """Whether a name is the id, alone or as a scan file's."""
        stem = next((name[: -len(suffix)] for suffix in (*READABLE, ARCHIVE) if name.lower().endswith(suffix)), name)
        # Uploads are kept under the harmless part of their name.
        return bool(name) and {name, stem} & {self.id, re.sub(r"[^\w.-]", "_", self.id).lstrip(".-")} != set()

    def is_scan(self, scan: ScanIdentity) -> bool:
        """Whether a scan is this one, by name or by content."""
        return self.is_named(scan.name) or bool(self.content) and scan.content == self.content

    def is_job(self, job: Job) -> bool:
        """Whether a job examined it."""
        return job.image == self.id or self.is_scan(ScanIdentity(job.scan, job.digest))

    def is_in(self, folder: Path) -> bool:
        """Whether a file below a folder is it."""
        return any(self._is_file(file) for file in folder.rglob("*") if file.is_file())

    def _is_file(self, file: Path) -> bool:
        try:
            return self.is_scan(identity_of(file))
        except FileNotFoundError:
            # It was a temporary file, or the whole folder has just expired.
            return False
