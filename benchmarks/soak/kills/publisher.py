"""A process that publishes one model after the other, and is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError
from umaddpm_core.serving.checkout import repository_root
from umaddpm_core.serving.models.versions import Versions

PROGRAM = """
import sys
from pathlib import Path
from umaddpm_core.serving.models.versions import Versions
versions = Versions(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
while True:
    print(versions.publish(Path(sys.argv[3]), {}), flush=True)
"""


def kill_publisher(versions: Versions, model: Path, seconds: float) -> list[str]:
    """Let another process publish `model` for so many seconds, kill it, and publish once more.

    Returns:
        What is not as it was told: the version in use is whole, no version that was told is missing, and the next has a new name.
    """
    before = len(versions.history())
    command = [sys.executable, "-c", PROGRAM, str(versions.folder), versions.name, str(model)]
    path = os.pathsep.join(filter(None, [str(repository_root()), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    told = process.communicate()[0].split()
    try:
        history = [entry["version"] for entry in versions.history()][before:]
        whole = Artefact.load(versions.in_use()).calibration if history or before else True
    except (InputError, json.JSONDecodeError, TypeError) as error:
        return [f"the version in use cannot be read: {error}"]
    found = [] if whole else ["the version in use has no calibration"]
    if history[: len(told)] != told or len(history) - len(told) not in (0, 1):
        found.append("versions that were told are not in the history")
    if not set(told) <= versions.published().keys():
        found.append("the file of a version that was told is missing")
    if versions.publish(model, {}) in told:
        found.append("a name was given twice")
    return found
