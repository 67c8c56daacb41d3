"""What one can ask a server of anomaly detection for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .address import Address
from .answers import Case, JobState, ModelList, Results, Review, ServerStatus, TrainingState
from .cancellation import Cancellation
from .errors import Busy, NotFound, NotOurServer
from .files import FILES, request_for, results_of, unpacked
from .form import Form
from .transport import ANSWER_S, CONNECT_S, Told, Transport

INFERER = "anomaly"
DETECTION_S = 3600.0
"""A server without jobs says nothing while it works, and others may be before us."""


class Client:
    """A server at an address, typed as people type it. Every call blocks: none belongs on the thread of a user interface.

    Args:
        url: such as `127.0.0.1:8000` or `https://scanner.example/anomaly`.
        token, ca_file, connect_s, answer_s: as for `Transport`.

    Raises:
        ClientError: from the constructor, an address, token or certificate file that cannot be one; from every call, of the
            kind that fits. Calls that take a `cancellation` raise `Cancelled` when it is set.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        ca_file: str | Path | None = None,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.address = Address.of(url)
        self._transport = Transport(self.address, token, ca_file, connect_s, answer_s)

    def __repr__(self) -> str:
        return f"Client({self._transport})"

    # The server

    def status(self, cancellation: Cancellation | None = None) -> ServerStatus:
        """Look whether the server is ours, knows the token, and what it has.

        Raises:
            NotOurServer: something else answers.
        """
        info = self._info(cancellation)
        model = info["models"][INFERER]
        counts, ready = self._readiness(cancellation)
        return ServerStatus(
            url=str(self.address),
            name=info.get("name") or "",
            version=info.get("version") or "",
            device=model.get("device") or "",
            models=tuple(model.get("models", ())),
            default_model=model.get("default_model") or "",
            modalities=tuple(model.get("modalities", ())),
            thresholds=tuple(model.get("thresholds", ())),
            strategies={name: one.get("description", "") for name, one in info.get("strategies", {}).items()},
            trainers=tuple(info.get("trainers", ())),
            has_jobs=counts is not None,
            ready=ready,
            waiting=(counts or {}).get("waiting"),
            running=(counts or {}).get("running"),
        )

    def _info(self, cancellation: Cancellation | None = None) -> dict[str, Any]:
        try:
            info = self._transport.json("GET", "/info/", cancellation=cancellation)
            models = info["models"]
            if INFERER in models and isinstance(models[INFERER], dict):
                return info
        except NotFound as error:
            raise NotOurServer(f"What answers at {self.address} is not a MONAI Label server.") from error
        except (KeyError, TypeError) as error:
            raise NotOurServer(f"What answers at {self.address} is not a MONAI Label server.") from error
        raise NotOurServer(f"{self.address} is a MONAI Label server without anomaly detection; it has {', '.join(models) or 'no model'}.")

    def _readiness(self, cancellation: Cancellation | None) -> tuple[dict[str, int] | None, bool]:
        """What the queue holds, None for a server without one, and whether the model is loaded."""
        try:
            return self._transport.json("GET", "/ready", cancellation=cancellation) or {}, True
        except Busy:
            return {}, False
        except NotFound:
            return None, True

    # Detections

    def submit(
        self,
        scan: Path | str,
        parameters: Mapping[str, Any] | None = None,
        *,
        file_name: str | None = None,
        cancellation: Cancellation | None = None,
        sent: Told | None = None,
    ) -> JobState:
        """Ask for a detection that runs as a job.

        Args:
            scan: file to send, or id of an image of the server's datastore.
            parameters: `threshold`, `score`, `modality`, `model`, `series`.
            file_name: what the server is told that the file is called.
            sent: told the share that is sent.
        """
        query, form = request_for(scan, parameters or {}, file_name)
        return self._job(self._transport.json("POST", "/anomaly/jobs", query, form=form, cancellation=cancellation, sent=sent))

    def job(self, job_id: str, cancellation: Cancellation | None = None) -> JobState:
        """Where a job stands."""
        return self._job(self._transport.json("GET", f"/anomaly/jobs/{job_id}", cancellation=cancellation))

    def cancel_job(self, job_id: str) -> JobState | None:
        """Cancel a job, or delete one that has ended; None once it is deleted."""
        answer = self._transport.json("DELETE", f"/anomaly/jobs/{job_id}")
        return self._job(answer) if answer else None

    def fetch(
        self, job: JobState, folder: Path, *, cancellation: Cancellation | None = None, received: Told | None = None
    ) -> Results:
        """Put the files of a job that is done into a folder, each complete or not there."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [name for name in job.results if name in FILES]

        def told(number: int) -> Told | None:
            return (lambda share: received((number + share) / len(wanted))) if received else None

        files = {
            name: self._transport.download(
                f"/anomaly/jobs/{job.id}/{name}", folder / FILES[name], cancellation=cancellation, received=told(number)
            )
            for number, name in enumerate(wanted)
        }
        return results_of(files)

    def infer(
        self,
        scan: Path | str,
        folder: Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        file_name: str | None = None,
        cancellation: Cancellation | None = None,
        sent: Told | None = None,
        received: Told | None = None,
    ) -> Results:
        """The same in one request, for a server without jobs: nothing is known of it until it is over."""
        query, form = request_for(scan, {**(parameters or {}), "result_extension": ".zip"}, file_name)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
            archive = self._transport.download(
                f"/infer/{INFERER}", Path(part) / "answer.zip", {**query, "output": "image"}, "POST", form,
                cancellation, sent, received, DETECTION_S,
            )  # fmt: skip
            return results_of(unpacked(archive, folder))

    def _job(self, answer: Any) -> JobState:
        try:
            return JobState.of(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise NotOurServer(f"What {self.address} says of a job cannot be understood; is it of another version?") from error

    # Review

    def cases(self) -> tuple[Case, ...]:
        """Every scan of the datastore."""
        known = (self._transport.json("GET", "/datastore/", {"output": "all"}) or {}).get("objects", {})
        return tuple(
            Case(image, dict(one.get("image", {}).get("info") or {}), tuple(one.get("labels", {}))) for image, one in known.items()
        )

    def next_case(self, strategy: str) -> Case | None:
        """The case to review next by a strategy of the server; None where none waits."""
        answer = self._transport.json("POST", f"/activelearning/{strategy}", body={})
        return Case(str(answer["id"]), answer) if answer and "id" in answer else None

    def fetch_image(
        self, image: str, folder: Path, *, cancellation: Cancellation | None = None, received: Told | None = None
    ) -> Path:
        """A scan of the datastore, as `IMAGE.nii.gz` unless its info says what it is called."""
        folder.mkdir(parents=True, exist_ok=True)
        name = Path(str(self.image_info(image).get("name") or f"{image}.nii.gz")).name
        return self._transport.download(
            "/datastore/image", folder / name, {"image": image}, cancellation=cancellation, received=received
        )

    def save_label(
        self, image: str, mask: Path, review: Review, tag: str = "final", cancellation: Cancellation | None = None
    ) -> str:
        """Send a mask back with what is said of it; returns the id of the label."""
        form = Form({"params": json.dumps({"review": review.as_dict()})}, mask, "label")
        return self._transport.json("PUT", "/datastore/label", {"image": image, "tag": tag}, form=form, cancellation=cancellation)["label"]

    def add_image(
        self, scan: Path, image: str, info: Mapping[str, Any] | None = None, cancellation: Cancellation | None = None
    ) -> str:
        """Put a scan into the datastore under an id; returns the id."""
        form = Form({"params": json.dumps(dict(info or {}))}, scan)
        return self._transport.json("PUT", "/datastore/image", {"image": image}, form=form, cancellation=cancellation)["image"]

    def image_info(self, image: str) -> dict[str, Any]:
        """What is known of a scan of the datastore."""
        return self._transport.json("GET", "/datastore/image/info", {"image": image})

    def set_image_info(self, image: str, info: Mapping[str, Any]) -> None:
        """Add to what is known of a scan; `{"cohort": "healthy"}` lets the server learn from it."""
        self._transport.json("PUT", "/datastore/image/info", {"image": image}, form=Form({"info": json.dumps(dict(info))}))

    # Training and models

    def start_training(self, trainer: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Let the server learn; `Busy` where it already does."""
        self._transport.json("POST", f"/train/{trainer}", body=dict(parameters or {}))

    def training(self) -> TrainingState:
        """The training that runs, or the last one, with what its trainer tells of itself."""
        try:
            answer = self._transport.json("GET", "/train/") or {}
        except NotFound:
            return TrainingState("")
        stats = self._info().get("train_stats", {})
        name = (answer.get("request") or {}).get("model") or next(iter(stats), "")
        log = answer.get("details") or ()
        return TrainingState(
            state=answer.get("status") or "",
            log=tuple(log) if isinstance(log, list) else (str(log),),
            started=str(answer.get("start_ts") or ""),
            ended=str(answer.get("end_ts") or ""),
            figures=dict(stats.get(name) or {}),
        )

    def stop_training(self) -> None:
        """End the training that runs; nothing where none does."""
        self._transport.json("DELETE", "/train/")

    def models(self) -> ModelList:
        """The models of the server, which is in use, and the versions that were published."""
        try:
            return ModelList.of(self._transport.json("GET", "/anomaly/models"))
        except (KeyError, TypeError, AttributeError) as error:
            raise NotOurServer(f"What {self.address} says of its models cannot be understood; is it of another version?") from error

    def use_version(self, name: str, version: str | None, by: str = "") -> str | None:
        """Put a published version of a model in use, or with None the one that the server came with; returns it."""
        return self._change_model(name, "use", {"version": version, "by": by})

    def roll_back(self, name: str, by: str = "") -> str | None:
        """Put in use what was before the present version was published; returns it."""
        return self._change_model(name, "rollback", {"by": by})

    def publish(self, name: str, by: str = "", override: bool = False) -> str | None:
        """Publish the model that was trained last; `override` although it may be worse, which the server records."""
        return self._change_model(name, "publish", {"by": by, "override": override})

    def _change_model(self, name: str, action: str, change: Mapping[str, Any]) -> str | None:
        return self._transport.json("POST", f"/anomaly/models/{name}/{action}", body=dict(change))["in_use"]
