"""`umaddpm` as a process of its own, as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from umaddpm_core.serving.checkout import repository_root

PROGRAM = [sys.executable, "-c", "import sys; from umaddpm_core.cli.main import main; sys.argv[0] = 'umaddpm'; main()"]


def environment(**settings: str) -> dict[str, str]:
    """That of this process and the settings, with this checkout on Python's path."""
    path = os.pathsep.join(filter(None, [str(repository_root()), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **settings}


def started(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen:
    """The running program in `folder`, whose output is read line by line from `stdout`."""
    return subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, env=environment(**settings), text=True, bufsize=1, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def printed_until_ready(process: subprocess.Popen) -> str:
    """What `umaddpm serve` prints up to its last line, which says how to stop it; all of it where it ends before."""
    printed = []
    for line in process.stdout:
        printed.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(printed)
