"""A real DICOM archive for tests: Orthanc with its DICOMweb plugin, on loopback, with a storage of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path

import pydicom
import requests
from pydicom.dataset import Dataset

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PROGRAM = shutil.which("Orthanc", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
USER, PASSWORD = "umaddpm", "correct-horse-battery"


def missing() -> str | None:
    """Why Orthanc cannot be started here; None where it can."""
    if PROGRAM is None:
        return "Orthanc is not installed (apt-get install orthanc orthanc-dicomweb)."
    return None if PLUGIN.is_file() else "Orthanc has no DICOMweb plugin (apt-get install orthanc-dicomweb)."


class Orthanc(AbstractContextManager):
    """A running archive that asks for a password; leaving the context stops it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/dicom-web"
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Orthanc:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, also again with what it held."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "orthanc.json"
        configuration.write_text(json.dumps({
            "StorageDirectory": str(self._folder / "storage"), "IndexDirectory": str(self._folder / "storage"),
            "HttpPort": self.port, "RemoteAccessAllowed": False, "DicomServerEnabled": False, "Plugins": [str(PLUGIN)],
            "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD}, "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }))  # fmt: skip
        with (self._folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "--verbose", str(configuration)], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                self._ask("GET", "/system")
                return
            except requests.RequestException:
                assert self._process.poll() is None and time.monotonic() < deadline, self.log()
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop it; what it holds remains."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def log(self) -> str:
        """What it logged, every request included."""
        return (self._folder / "orthanc.log").read_text(errors="replace")

    def store(self, datasets: Iterable[Dataset]) -> str:
        """Store files, not by DICOMweb; returns the UID of the series of the last."""
        for dataset in datasets:
            file = BytesIO()
            dataset.save_as(file, write_like_original=False)
            self._ask("POST", "/instances", data=file.getvalue())
        return str(dataset.SeriesInstanceUID)

    def search(self, **query: str) -> list[dict]:
        """QIDO-RS for series."""
        return self._ask("GET", "/dicom-web/series", params=query, headers={"Accept": "application/dicom+json"}).json()

    def files(self, series: str) -> list[Dataset]:
        """The files of a series, as they are stored."""
        found = self._ask("POST", "/tools/find", json={"Level": "Instance", "Query": {"SeriesInstanceUID": series}}).json()
        return [pydicom.dcmread(BytesIO(self._ask("GET", f"/instances/{one}/file").content)) for one in found]

    def _ask(self, method: str, path: str, **arguments: object) -> requests.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        response = requests.request(method, url, auth=(USER, PASSWORD), timeout=60, **arguments)
        response.raise_for_status()
        return response
