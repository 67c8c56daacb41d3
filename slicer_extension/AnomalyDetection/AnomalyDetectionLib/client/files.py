"""A detection as files: what is sent, and what comes back."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .answers import Results
from .errors import BrokenOff, ClientError, NotOurServer
from .form import Form

VOLUMES = ("mask", "reconstruction", "model_output", "anomaly_map", "examined", "structures")
FILES = {**{name: f"{name}.nii.gz" for name in VOLUMES}, "report": "report.json", "overview": "overview.png"}
"""What a result is called on disk, by the name that it is asked for; what is not here is not fetched."""


def request_for(scan: Path | str, parameters: Mapping[str, Any], file_name: str | None) -> tuple[dict[str, str], Form]:
    """Query and form that ask for a detection in a file, or in an image of the server's datastore.

    Raises:
        ClientError: there is no such file.
    """
    fields = {"params": json.dumps({name: value for name, value in parameters.items() if value is not None})}
    if isinstance(scan, str):
        return {"image": scan}, Form(fields)
    if not scan.is_file():
        raise ClientError(f"{scan.name} is no file that can be sent.")
    return {}, Form(fields, scan, file_name=file_name)


def results_of(files: dict[str, Path]) -> Results:
    """The files of a detection with its report.

    Raises:
        NotOurServer: the report is missing or cannot be read.
    """
    try:
        report = json.loads(files["report"].read_text(encoding="utf-8"))
    except (KeyError, ValueError) as error:
        raise NotOurServer("The server sent a result without a report that can be read.") from error
    return Results(files, report)


def unpacked(archive: Path, folder: Path) -> dict[str, Path]:
    """The files of ours in an archive, by name, put into a folder once all are there; others in it are left where they are.

    Raises:
        BrokenOff: the archive cannot be read.
    """
    files = {}
    try:
        with zipfile.ZipFile(archive) as content:
            for name in (one for one in FILES if FILES[one] in content.namelist()):
                part = archive.with_name(FILES[name])
                with content.open(FILES[name]) as source, part.open("wb") as target:
                    shutil.copyfileobj(source, target)
                files[name] = part
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise BrokenOff("The server sent an archive that cannot be read.") from error
    return {name: part.replace(folder / FILES[name]) for name, part in files.items()}
