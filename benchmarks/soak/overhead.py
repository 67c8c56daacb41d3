"""What a request costs beside the detection that it asks for."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import requests
from soak.place import Place
from soak.row import Row
from soak.scans import WHOLE_HEAD, unseen_copy

LIMIT_MS = 150
REQUESTS = 7
FIELDS = {"params": json.dumps({"result_extension": ".nii.gz"})}


def overhead(place: Place, times: int = REQUESTS) -> Row:
    """The time that a client waits for a mask, less the time that `Detector.detect` took in the server.

    Both are of the same request, so how long a detection takes plays no part. The scan lies in the server's folder; what
    it costs to send it instead is told beside.
    """
    stored = [unseen_copy(WHOLE_HEAD, place.studies) for _ in range(times)]
    sent = [place.unseen(WHOLE_HEAD) for _ in range(times)]
    with place.server() as server:
        of_stored = [milliseconds(server.url, {"image": scan.name.removesuffix(".nii.gz")}) for scan in stored]
        of_sent = [milliseconds(server.url, {}, scan) for scan in sent]
    median = statistics.median(of_stored)
    return Row(
        name="overhead",
        what="request overhead over `Detector.detect`",
        demand=f"≤ {LIMIT_MS} ms for a 1 mm scan, mask only",
        figure=f"median {median:.0f} ms of {times} requests (highest {max(of_stored):.0f} ms); "
        f"with the scan sent along {statistics.median(of_sent):.0f} ms",
        passed=median <= LIMIT_MS,
        details={"stored_ms": [round(one) for one in of_stored], "sent_ms": [round(one) for one in of_sent]},
    )


def milliseconds(url: str, query: dict[str, str], scan: Path | None = None) -> float:
    """Of one request, beside the detection."""
    started = time.perf_counter()
    ask(url, {**query, "output": "image"}, scan)
    waited = time.perf_counter() - started
    # The same detection, from memory: its report tells how long it took.
    report = ask(url, {**query, "output": "json"}, scan).json()
    return 1000 * (waited - report["timings"]["total_s"])


def ask(url: str, query: dict[str, str], scan: Path | None) -> requests.Response:
    files = {"file": (scan.name, scan.read_bytes())} if scan else None
    answer = requests.post(f"{url}/infer/anomaly", params=query, data=FIELDS, files=files, timeout=600)
    assert answer.status_code == 200, answer.text
    return answer
