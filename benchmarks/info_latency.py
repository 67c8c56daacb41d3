"""How long a running server takes to answer `/info/`, at rest and while it infers.

    python benchmarks/info_latency.py --url http://127.0.0.1:8000 --scan sample-data/NAME.nii.gz

Prints p50, p99 and maximum in milliseconds; exits with status 1 when the p99 during inference exceeds `--limit`.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

from umaddpm_core.serving.client import Client


def info_latencies(url: str, stop: threading.Event, pause: float) -> list[float]:
    """Milliseconds of one `/info/` request after another over one connection, until `stop` is set."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    latencies = []
    while not stop.is_set():
        started = time.perf_counter()
        connection.request("GET", "/info/")
        connection.getresponse().read()
        latencies.append(1000 * (time.perf_counter() - started))
        stop.wait(pause)
    connection.close()
    return latencies


def infer(url: str, scan: Path, inferences: int) -> list[float]:
    """Seconds of `inferences` detections in `scan`, none of which the server can answer from memory."""
    content = gzip.decompress(scan.read_bytes())
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(inferences):
            # Another time stamp in the gzip header makes it another file to the server, and the same scan.
            copy = Path(folder) / scan.name
            copy.write_bytes(gzip.compress(content, compresslevel=1, mtime=time.time() + number))
            started = time.perf_counter()
            Client(url).detect(copy, Path(folder) / "result")
            seconds.append(time.perf_counter() - started)
    return seconds


def row(name: str, latencies: list[float]) -> str:
    """One line of the table."""
    p99 = percentile_99(latencies)
    return f"{name:<18}{len(latencies):>9}{statistics.median(latencies):>9.1f}{p99:>9.1f}{max(latencies):>9.1f}"


def percentile_99(latencies: list[float]) -> float:
    """The value that 99 of 100 latencies do not exceed."""
    return statistics.quantiles(latencies, n=100, method="inclusive")[-1]


def main() -> int:
    """Measure, print, and judge by `--limit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--scan", type=Path, required=True, help="a .nii.gz file to have examined")
    parser.add_argument("--inferences", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two requests")
    parser.add_argument("--limit", type=float, default=200.0, help="milliseconds that the p99 may take")
    options = parser.parse_args()

    rest = threading.Event()
    threading.Timer(3.0, rest.set).start()
    at_rest = info_latencies(options.url, rest, options.pause)

    # Another process asks for the inferences, so that only the server's delays are measured and not our own.
    done = threading.Event()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
        inferences = others.submit(infer, options.url, options.scan, options.inferences)
        inferences.add_done_callback(lambda _: done.set())
        working = info_latencies(options.url, done, options.pause)
        seconds = inferences.result()

    print(f"{'/info/ in ms':<18}{'requests':>9}{'p50':>9}{'p99':>9}{'max':>9}")
    print(row("at rest", at_rest))
    print(row("during inference", working))
    print(f"{len(seconds)} inferences of {statistics.mean(seconds):.1f} s each, as the client saw them")
    return 0 if percentile_99(working) <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
