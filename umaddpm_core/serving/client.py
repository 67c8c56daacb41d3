"""A small HTTP client of the server: what `umaddpm serve` shows itself with, and the benchmarks measure with."""

from __future__ import annotations

import io
import json
import os
import shutil
import ssl
import zipfile
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from umaddpm_core.errors import InputError

INFERER = "anomaly"
SECONDS_TO_ANSWER = 3600
"""A detection may wait behind others, so only a server that is gone for good ends the wait."""


class Client:
    """Talks to the server at `url`, one connection per call, as MONAI Label drops pooled ones after an error.

    Args:
        token: shown to a server that asks for one.
        certificate: file with the certificate that the server has to show, under whatever name it is called here; without
            it, the certificate has to be one that this computer trusts.
    """

    def __init__(self, url: str, token: str | None = None, certificate: str | Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token or None
        self._certificate = str(certificate) if certificate else None

    def is_ready(self) -> bool:
        """Whether the server answers and has loaded its model, which nobody needs a token to ask; a stock one only answers."""
        try:
            response = self._sent("GET", f"{self.url}/ready", timeout=5)
            if response.status_code == 404:
                response = self._sent("GET", f"{self.url}/info/", timeout=5)
            return response.status_code == 200
        except requests.RequestException:
            return False

    def info(self) -> dict[str, Any]:
        """What the server serves.

        Raises:
            InputError: no answer.
        """
        return _json(self._request("GET", "/info/", timeout=30))

    def images(self) -> list[str]:
        """Ids of the scans in the server's datastore.

        Raises:
            InputError: no answer.
        """
        return list(_json(self._request("GET", "/datastore/", params={"output": "all"}, timeout=30)).get("objects", {}))

    def post(self, path: str, parameters: dict[str, Any]) -> Any:
        """What a route answers that takes JSON.

        Raises:
            InputError: the server refused, in its words, or did not answer.
        """
        return _json(self._request("POST", path, json=parameters, timeout=30))

    def detect(self, scan: str | Path, folder: Path, **parameters: Any) -> dict[str, Any]:
        """Let the server examine `scan`, and put what it returns into `folder`, replacing what lay there.

        Args:
            scan: id of an image of the datastore, or path of a file to send.
            folder: receives mask, reconstruction, anomaly map, examined region, report and overview.
            parameters: threshold, score, modality or model.

        Returns:
            The report.

        Raises:
            InputError: the server refused, in its words, or did not answer.
        """
        fields = {"params": json.dumps({**parameters, "result_extension": ".zip"})}
        query = {"output": "image"}
        if isinstance(scan, Path):
            with scan.open("rb") as stream:
                response = self._request("POST", f"/infer/{INFERER}", params=query, data=fields,
                                         files={"file": (scan.name, stream)}, timeout=SECONDS_TO_ANSWER)
        else:
            response = self._request("POST", f"/infer/{INFERER}", params={**query, "image": scan}, data=fields,
                                     timeout=SECONDS_TO_ANSWER)
        _unpack(response.content, folder)
        return json.loads((folder / "report.json").read_text())

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        try:
            response = self._sent(method, f"{self.url}{path}", **arguments)
        except requests.RequestException as error:
            raise InputError(f"The server at {self.url} does not answer ({type(error).__name__}).") from error
        if not 200 <= response.status_code < 300:
            raise InputError(f"The server answered {response.status_code}: {_detail(response)}")
        return response

    def _sent(self, method: str, url: str, **arguments: Any) -> requests.Response:
        """One request straight to the server: never through a proxy that the environment names, which scans must not reach."""
        with requests.Session() as session:
            session.trust_env = False
            if self._token:
                session.headers["Authorization"] = f"Bearer {self._token}"
            if self._certificate:
                session.verify = self._certificate
                session.mount("https://", _ThisCertificate(self._certificate))
            # Elsewhere the token would be shown to whoever is there.
            return session.request(method, url, allow_redirects=False, **arguments)


class _ThisCertificate(HTTPAdapter):
    """Trusts one certificate, whoever signed it and whatever name it was made out to."""

    def __init__(self, certificate: str) -> None:
        self._context = ssl.create_default_context(cafile=certificate)
        self._context.check_hostname = False
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, **settings, ssl_context=self._context, assert_hostname=False)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise InputError(f"What answers at {response.url} is no server of this program.") from error


def _detail(response: requests.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200] or response.reason


def _unpack(archive: bytes, folder: Path) -> None:
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            files.extractall(part)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    except zipfile.BadZipFile as error:
        raise InputError("The server sent an archive that cannot be read.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
