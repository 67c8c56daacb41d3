"""A DICOM archive that speaks DICOMweb: what it holds, a series of it, and storing results there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import requests
from monailabel.datastore.dicom import DICOMwebClientX
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.preprocessing.reading.archive import LARGEST_BYTES, LARGEST_FILES
from umaddpm_core.serving.dicom.address import check_address

SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 60
CHUNK = 1 << 20
UID = re.compile(r"\d+(\.\d+)*")
ORIGINAL = (("application/dicom", "*"),)
"""Files as they were stored: the archive need not decompress what the reader can."""

FIELDS = ("SeriesDescription", "SeriesNumber", "NumberOfSeriesRelatedInstances", "StudyInstanceUID", "Modality")


class ArchiveUnavailable(InputError):
    """The archive does not answer, or not as an archive does; HTTP 503."""


@dataclass(frozen=True)
class ArchivedSeries:
    """What the archive says of a series; nothing that names the patient."""

    uid: str
    study: str
    modality: str
    facts: dict[str, str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> ArchivedSeries:
        """From one element of a QIDO-RS answer."""
        dataset = Dataset.from_json(answer)
        facts = {keyword: str(dataset.get(keyword) or "") for keyword in FIELDS}
        return cls(str(dataset.SeriesInstanceUID), facts["StudyInstanceUID"], facts["Modality"], facts)


class Archive:
    """Talks to the archive at `url`.

    Args:
        url: of its DICOMweb service, such as `http://host:8042/dicom-web`.
        credentials: user and password for basic authentication, or None.
        prefixes: of the QIDO-RS, WADO-RS and STOW-RS routes, where they differ.

    Raises:
        InputError: not such an address, or one with a password in it, which would end up in logs.
    """

    def __init__(
        self, url: str, credentials: tuple[str, str] | None = None, prefixes: Sequence[str | None] = (None, None, None)
    ) -> None:
        check_address(url)
        self.url = url.rstrip("/")
        qido, wado, stow = prefixes
        self._prefixes = {"qido": qido, "wado": wado, "stow": stow}
        self._session = _Session(credentials)
        self.client = DICOMwebClientX(
            self.url, session=self._session, qido_url_prefix=qido, wado_url_prefix=wado, stow_url_prefix=stow,
            chunk_size=CHUNK,
        )  # fmt: skip
        # By default every failure, also of the connection, is tried five times with half a minute of pauses.
        self.client.set_http_retry_params(retry=False)

    def series(self, filters: Mapping[str, Any], limit: int) -> dict[str, ArchivedSeries]:
        """Series that match, by UID, at most `limit`.

        Raises:
            ArchiveUnavailable: no answer.
        """
        with self._asked():
            answers = self.client.search_for_series(search_filters=dict(filters), limit=limit, fields=list(FIELDS))
            found = [ArchivedSeries.of(answer) for answer in answers[:limit]]
        return {one.uid: one for one in found}

    def find(self, uid: str) -> ArchivedSeries:
        """The series with this UID.

        Raises:
            NotFound: there is none.
            ArchiveUnavailable: no answer.
        """
        missing = NotFound(f"There is no series {uid!r} in the archive of this server.")
        if not UID.fullmatch(uid) or len(uid) > 64:
            raise missing
        found = self.series({"SeriesInstanceUID": uid}, limit=1).get(uid)
        if found is None:
            raise missing
        return found

    def fetch(self, series: ArchivedSeries, folder: Path) -> None:
        """Write the files of a series into a folder, as they come.

        Raises:
            InputError: the series is larger than anything that is read.
            ArchiveUnavailable: no answer, or it broke off.
        """
        size = 0
        with self._asked():
            instances = self.client.iter_series(series.study, series.uid, media_types=ORIGINAL)
            for number, instance in enumerate(instances):
                uid = str(instance.SOPInstanceUID)
                path = folder / f"{uid if UID.fullmatch(uid) else number}.dcm"
                instance.save_as(path, write_like_original=False)
                size += path.stat().st_size
                if number >= LARGEST_FILES or size > LARGEST_BYTES:
                    raise InputError(f"The series {series.uid} is too large: at most {LARGEST_BYTES >> 30} GiB are fetched.")
        if not size:
            raise ArchiveUnavailable(f"The archive sent no file of the series {series.uid}.")

    def metadata(self, series: ArchivedSeries) -> Dataset:
        """Header of the first file of a series, without bulk data.

        Raises:
            ArchiveUnavailable: no answer.
        """
        with self._asked():
            (first, *_) = self.client.retrieve_series_metadata(series.study, series.uid)
            return Dataset.from_json(first, bulk_data_uri_handler=lambda place: None)

    def store(self, results: Sequence[Dataset]) -> None:
        """Store by STOW-RS.

        Raises:
            ArchiveUnavailable: no answer, or the archive did not take them.
        """
        with self._asked():
            answer = self.client.store_instances(results)
        if answer.get("FailedSOPSequence"):
            raise ArchiveUnavailable("The archive of this server did not take the result.")

    def ask(self, method: str, path: str, file: BinaryIO, *, limit: int = LARGEST_BYTES, **question: Any) -> tuple[int, str]:
        """Write what the archive answers to a path of its service into a file.

        Args:
            path: with `qido/`, `wado/` or `stow/` before it where its prefix is to be put in front.
            limit: bytes.
            question: `params`, `headers` and `data`, as for `requests`.

        Returns:
            Status and media type.

        Raises:
            InputError: the answer is larger than the limit.
            ArchiveUnavailable: no answer, it broke off, or it leads elsewhere.
        """
        kind, _, rest = path.partition("/")
        if kind in self._prefixes:
            # Some viewers ask for metadata by QIDO-RS.
            prefix = self._prefixes["wado" if kind == "qido" and rest.endswith("metadata") else kind]
            path = f"{prefix}/{rest}" if prefix else rest
        with self._asked(), self._session.request(
            method, f"{self.url}/{path}", stream=True, allow_redirects=False, **question
        ) as answer:  # fmt: skip
            if answer.is_redirect or answer.status_code in (401, 403):
                raise requests.HTTPError(response=answer)
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                if file.tell() > limit:
                    raise InputError(f"The answer of the archive is too large: at most {limit / 2**30:.3g} GiB are handed on.")
            return answer.status_code, answer.headers.get("Content-Type", "application/octet-stream")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Everything that can go wrong between us and an archive, in one sentence without its address."""
        try:
            yield
        except InputError:
            raise
        except requests.HTTPError as error:
            status = error.response.status_code
            if status in (401, 403):
                reason = "refuses the user name and password that this server has for it"
            else:
                reason = f"answered with an error ({status})"
            raise ArchiveUnavailable(f"The archive of this server {reason}.") from error
        except requests.JSONDecodeError as error:
            raise ArchiveUnavailable("What answers at the address of the archive does not speak DICOMweb.") from error
        except (requests.RequestException, ConnectionError) as error:
            raise ArchiveUnavailable(
                f"The archive of this server does not answer ({type(error).__name__}); try again later."
            ) from error
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, EOFError, InvalidDicomError) as error:
            raise ArchiveUnavailable("The archive of this server sent an answer that cannot be read.") from error


class _Session(requests.Session):
    """Straight to the archive, never through a proxy that the environment names; every request has an end."""

    def __init__(self, credentials: tuple[str, str] | None) -> None:
        super().__init__()
        self.trust_env = False
        self.auth = credentials
        # Without the environment this would be lost, and hospitals have certificates of their own.
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", (SECONDS_TO_CONNECT, SECONDS_TO_ANSWER))
        return super().request(*arguments, **options)
