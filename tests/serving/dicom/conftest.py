"""One archive and one server on it for all tests of this folder; detections to write as DICOM."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import orthanc as archives
import pytest
import requests
import SimpleITK as sitk
from dicom_writer import reversed_order, study
from orthanc import Orthanc

from umaddpm_core.detection import Detection
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.launch import Server

@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """The archive; where Orthanc is missing the test is skipped, and in CI it fails."""
    if reason := archives.missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@dataclass(frozen=True)
class ArchiveServer:
    """The server on the archive."""

    url: str
    home: Path
    log: Path
    scratch: Path

    @property
    def fetched(self) -> set[str]:
        """UIDs of the series in the server's cache."""
        return {path.name for path in (self.home / "work").glob("archive/*/series/*")}

    def ask(self, image: str, *, output: str = "image", **params: object) -> requests.Response:
        return requests.post(
            f"{self.url}/infer/anomaly",
            params={"image": image, "output": output},
            data={"params": json.dumps(params)},
            timeout=600,
        )


def start_server(home: Path, model: Path, studies: Path | str, **settings: str) -> Server:
    """A server of its own: app, scratch folder and work lie below `home`."""
    scratch = home / "tmp"
    scratch.mkdir(parents=True)
    app = shutil.copytree(app_folder(), home / "app", ignore=shutil.ignore_patterns("__pycache__", "logs", "model", "bin"))
    environment = {"UMADDPM_MODEL": str(model), "TMPDIR": str(scratch), "HOME": str(home), **settings}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Server(app, studies, home / "work", port=port, settings=environment)


@pytest.fixture
def serve_on(tiny_model: Path, tmp_path: Path) -> Callable[..., Server]:
    """Starts a server on another archive."""
    return partial(start_server, tmp_path / "another", tiny_model)


@pytest.fixture(scope="session")
def stored(orthanc: Orthanc, oblique_scan: Path) -> dict[str, str]:
    """UIDs of what the archive holds before the server starts: the small scan thrice, and a CT."""
    scan = sitk.ReadImage(str(oblique_scan))
    upright = sitk.Image(scan)
    upright.SetDirection(np.rint(scan.GetDirection()).tolist())
    return {
        "upright": orthanc.store(study(upright)),
        "oblique": orthanc.store(study(scan)),
        "reversed": orthanc.store(reversed_order(study(scan))),
        "ct": orthanc.store(study(upright, Modality="CT")),
    }


@pytest.fixture(scope="session")
def archive_server(
    orthanc: Orthanc, stored: dict[str, str], tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArchiveServer]:
    home = tmp_path_factory.mktemp("archive-server")
    credentials = {"MONAI_LABEL_DICOMWEB_USERNAME": archives.USER, "MONAI_LABEL_DICOMWEB_PASSWORD": archives.PASSWORD}
    with start_server(home, tiny_model, orthanc.url, MONAI_LABEL_DICOMWEB_CACHE_EXPIRY="1", **credentials) as running:
        server = ArchiveServer(running.url, home, running.log, home / "tmp")
        assert server.fetched == set(), "something was fetched at start"
        yield server


@pytest.fixture
def detection_in() -> Callable[[Path], Detection]:
    """Makes a detection of a DICOM scan with a random mask and map, which no symmetry hides errors of."""

    def make(scan: Path, series: str | None = None) -> Detection:
        image = read_scan(scan, series=series).image
        draw = np.random.default_rng(5)
        score = sitk.GetImageFromArray(draw.normal(size=image.GetSize()[::-1]).astype(np.float32))
        mask = sitk.GetImageFromArray((sitk.GetArrayViewFromImage(score) > 1).astype(np.uint8))
        for volume in (score, mask):
            volume.CopyInformation(image)
        threshold = {"name": "custom", "value": 1.0, "score": "both"}
        report = {"model": "tiny", "weights": "0123456789ab", "package_version": "0.1.0", "threshold": threshold}
        return Detection(image, mask, image, image, score, mask, mask, [], report)

    return make
