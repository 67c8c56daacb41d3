"""Do to real servers what they have to withstand, and write `docs/reliability.md`.

    python benchmarks/soak                         # every row in full, at most an hour
    python benchmarks/soak kills --times 5         # one row, printed only

Exits with status 1 when a row is not passed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from soak import gone_clients, kills, load, malformed, memory, overhead, report, suites  # noqa: E402
from soak.place import Place  # noqa: E402
from soak.row import Row  # noqa: E402
from soak.scans import small_scan  # noqa: E402
from soak.tiny import tiny_model  # noqa: E402

from umaddpm_core.detection.models import find_model  # noqa: E402

ROWS: dict[str, Callable[..., Row]] = {
    "load": load.load,
    "overhead": overhead.overhead,
    "kills": kills.kills,
    "gone-clients": gone_clients.gone_clients,
    "malformed": malformed.malformed,
    "attacks": suites.attacks,
    "memory": memory.memory,
    "stock-client": suites.stock_client,
}
WITHOUT_A_PLACE = ("attacks", "stock-client")
WITH_THE_SHIPPED_MODEL = ("overhead", "gone-clients")
"""Rows whose figure is that of a real detection."""


def run(name: str, folder: Path, times: int | None) -> Row:
    """One row, in an empty folder; `times` replaces how often the row does what it does."""
    if name in WITHOUT_A_PLACE:
        return ROWS[name]()
    model = find_model(None) if name in WITH_THE_SHIPPED_MODEL else tiny_model(folder / "tiny.safetensors")
    place = Place(folder / "home", model, small_scan(folder))
    return ROWS[name](place, times) if times else ROWS[name](place)


def attempt(name: str, folder: Path, times: int | None) -> Row:
    """A row that cannot be brought to its end is not passed, and the others are measured all the same."""
    try:
        return run(name, folder, times)
    except Exception as error:
        traceback.print_exc()
        return Row(name, f"`{name}`", "comes to its end", f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " "), False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all of them where none is named")
    parser.add_argument("--times", type=int, help="jobs, kills, requests … of the rows named, instead of the full number")
    options = parser.parse_args()
    if unknown := set(options.rows) - ROWS.keys():
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    if options.times and not options.rows:
        parser.error("--times goes with the name of a row; the report is of all rows in full")
    measured_on, started, rows = report.machine(), time.monotonic(), []
    for name in options.rows or ROWS:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            begun = time.monotonic()
            rows.append(attempt(name, Path(folder), options.times))
        print(f"{name} ({time.monotonic() - begun:.0f} s): {'passed' if rows[-1].passed else 'NOT PASSED'}: {rows[-1].figure}", flush=True)
        if not rows[-1].passed or options.rows:
            print(f"    {rows[-1].details}", flush=True)
        if not options.rows:
            # After every row, so that a run that is broken off leaves what it has measured.
            missing = [Row(name, f"`{name}`", "", "not measured", False) for name in list(ROWS)[len(rows) :]]
            report.write([*rows, *missing], measured_on, time.monotonic() - started, memory.CACHE_MB)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
