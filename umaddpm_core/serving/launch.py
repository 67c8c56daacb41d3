"""Starts the server as a child process, waits until it answers, and stops it again."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from umaddpm_core.errors import InputError
from umaddpm_core.serving.checkout import repository_root
from umaddpm_core.serving.client import Client
from umaddpm_core.serving.detections import MODEL_VARIABLE
from umaddpm_core.serving.operation import json_log
from umaddpm_core.serving.security.callbacks import ADDRESS_VARIABLE, CERTIFICATE_VARIABLE
from umaddpm_core.serving.security.settings import AUDIT_VARIABLE, BIND_VARIABLE
from umaddpm_core.serving.security.tokens import OWN_TOKEN_VARIABLE, TOKENS_VARIABLE, new_token

ASGI_APP = "umaddpm_core.serving.asgi:app"
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean every one of this computer's, and the one to reach them at from here."""
SECONDS_TO_START = 180
SECONDS_TO_STOP = 10

SETTINGS = {
    # MLflow refuses the tracking folder that MONAI Label names, and nothing here reads it.
    "MONAI_LABEL_TRACKING_ENABLED": "false",
    "MONAI_LABEL_AUTO_UPDATE_SCORING": "false",
    "MONAI_LABEL_DATASTORE_FILE_EXT": json.dumps(["*.nii.gz", "*.nii", "*.nrrd", "*.mha"]),
    "MONAI_LABEL_DICOMWEB_SEARCH_FILTER": json.dumps({"Modality": "MR"}),
    # Seconds for which a list of series is good; new ones come all day.
    "MONAI_LABEL_DICOMWEB_CACHE_EXPIRY": "30",
    # Overviews are drawn in a worker thread, where a windowing backend would fail.
    "MPLBACKEND": "Agg",
    "PYTHONUNBUFFERED": "1",
}
"""Settings of the server process; variables of the same name in the environment win."""


class Server(AbstractContextManager):
    """A running server; leaving the context stops it.

    Args:
        app: folder of the MONAI Label app; has to be writable.
        studies: folder with the scans to serve, which has to be writable; or the DICOMweb address of an archive.
        work: folder for the server's log and sessions, and its working directory.
        settings: further environment variables for the server process. A log that they ask for as JSON goes to standard
            output, and to the file in the app's folder that the route `/logs/` shows.
        ssl_keyfile, ssl_certfile: private key and certificate, for https.

    Raises:
        InputError: on entering, when the address cannot be used or the server does not come up.
    """

    def __init__(
        self,
        app: Path,
        studies: Path | str,
        work: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        settings: Mapping[str, str] | None = None,
        ssl_keyfile: Path | None = None,
        ssl_certfile: Path | None = None,
    ) -> None:
        self.host, self.port = host, port
        self._app, self._studies, self._work = app, studies, work
        self._settings = dict(settings or {})
        self._json_log = json_log.asks_for_json({**os.environ, **self._settings})
        self.log = app.resolve() / "logs" / "app.log" if self._json_log else work.resolve() / "server.log"
        self._log_begins = 0
        self._ssl = (ssl_keyfile, ssl_certfile) if ssl_keyfile and ssl_certfile else None
        self._token = new_token()
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """Address for a client on this computer."""
        host = ANY_ADDRESS.get(self.host, self.host)
        scheme = "https" if self._ssl else "http"
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the server, which has to have been started."""
        return self._process.pid

    @property
    def _log_configuration(self) -> Path:
        return self._work.resolve() / "logging.json"

    def client(self) -> Client:
        """A client on this computer, with the token that this server has for itself."""
        return Client(self.url, self._token, self._ssl[1] if self._ssl else None)

    def __enter__(self) -> Server:
        _require_free(self.host, self.port)
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            output = self._prepared_log()
        except OSError as error:
            raise InputError(f"The server has to write to {error.filename}, and cannot ({error.strerror}).") from error
        with output as stream:
            # A session of its own: Ctrl-C in the terminal reaches only us, and we stop the server in order. The
            # working directory is ours, so that MONAI Label reads no stray `.env` of another project.
            self._process = subprocess.Popen(
                self._command(), cwd=self._work, env=self._environment(), stdin=subprocess.DEVNULL,
                stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait(self) -> None:
        """Block until the server ends by itself, which it should not.

        Raises:
            InputError: it did.
        """
        self._process.wait()
        raise InputError(self._last_words("The server has stopped by itself"))

    def stop(self) -> None:
        """Ask the server to finish, and end it when it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _prepared_log(self) -> AbstractContextManager[BinaryIO | None]:
        """The file that the server's process is to write to; None where it writes the log itself."""
        if not self._json_log:
            return self.log.open("wb")
        self.log.parent.mkdir(exist_ok=True)
        self.log.touch()
        self._log_begins = self.log.stat().st_size
        self._log_configuration.write_text(json.dumps(json_log.configuration(self.log)))
        return nullcontext()

    def _command(self) -> list[str]:
        launcher = "umaddpm_core.serving.operation.start" if self._json_log else "monailabel.main"
        return [
            sys.executable, "-m", launcher, "start_server",
            *(("--log_config", str(self._log_configuration)) if self._json_log else ()),
            "--app", str(self._app.resolve()), "--studies", self._studies if isinstance(self._studies, str) else str(self._studies.resolve()),
            "--host", self.host, "--port", str(self.port), "--uvicorn_app", ASGI_APP,
            *(("--ssl_keyfile", str(self._ssl[0].resolve()), "--ssl_certfile", str(self._ssl[1].resolve())) if self._ssl else ()),
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        places = {
            "MONAI_LABEL_SESSION_PATH": str((self._work / "sessions").resolve()),
            "MONAI_LABEL_DICOMWEB_CACHE_PATH": str((self._work / "archive").resolve()),
            AUDIT_VARIABLE: str((self._work / "audit.jsonl").resolve()),
        }
        own = {
            BIND_VARIABLE: self.host,
            ADDRESS_VARIABLE: self.url,
            OWN_TOKEN_VARIABLE: self._token,
            CERTIFICATE_VARIABLE: str(self._ssl[1].resolve()) if self._ssl else "",
        }
        environment = {**SETTINGS, **places, **os.environ, **self._settings, **own}
        # The server runs in another folder than we do, so what is relative here is made absolute.
        paths = [str(repository_root()), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths if path)
        if Path(model := environment.get(MODEL_VARIABLE, "")).is_file():
            environment[MODEL_VARIABLE] = os.path.abspath(model)
        for variable in (TOKENS_VARIABLE, AUDIT_VARIABLE):
            if (file := environment.get(variable, "").strip()) and file.lower() != "off":
                environment[variable] = os.path.abspath(os.path.expanduser(file))
        return environment

    def _wait_until_ready(self) -> None:
        client = self.client()
        deadline = time.monotonic() + SECONDS_TO_START
        while not client.is_ready():
            if self._process.poll() is not None:
                raise InputError(self._last_words("The server did not start"))
            if time.monotonic() > deadline:
                raise InputError(self._last_words(f"The server did not answer within {SECONDS_TO_START} s"))
            time.sleep(0.2)

    def _last_words(self, what: str) -> str:
        """`what`, with the reason that the server gave in one sentence or else the end of its log."""
        text = json_log.as_text(self.log.read_bytes()[self._log_begins :].decode(errors="replace"))
        reasons = re.findall(r"^umaddpm_core\.\S*InputError: (.+)$", text, flags=re.MULTILINE)
        if reasons:
            return f"{what}: {reasons[-1]}"
        tail = "\n".join(f"    {line}" for line in text.splitlines()[-12:])
        return f"{what}; its log {self.log} ends with:\n{tail}"


def _require_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise InputError(f"{host!r} is not an address of this computer.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"Port {port} is taken; stop what listens there or choose another with --port.") from error
        raise InputError(f"The server cannot listen on {host}:{port} ({error.strerror}).") from error
