"""Rows that tests of their own show: attacks, and the stock client."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from soak.row import Row

from umaddpm_core.serving.checkout import repository_root


def attacks() -> Row:
    """Every attack is made on a stock server and on ours, by `tests/serving/security`."""
    return _row(
        "attacks",
        "path, tag, session, zip-slip, CORS and token attacks on a stock MONAI Label server and on ours",
        "each has a test that succeeds on stock MONAI Label and fails here",
        "tests/serving/security",
    )


def stock_client() -> Row:
    """The client that MONAI Label brings, against our server."""
    return _row(
        "stock-client",
        "MONAI Label's own `monailabel.client`",
        "info, infer, save label, next sample, train start/status/stop work",
        "tests/serving/test_stock_client.py",
    )


def _row(name: str, what: str, demand: str, tests: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={results}", tests]
        output = subprocess.run(command, cwd=repository_root(), capture_output=True, text=True).stdout
        suite = ElementTree.parse(results).getroot().find("testsuite") if results.exists() else None
    if suite is None:
        return Row(name, what, demand, "the tests did not run", False, {"output": output[-2000:]})
    count = {kind: int(suite.get(kind)) for kind in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    figure = f"`{tests}`: {count['tests'] - bad - count['skipped']} passed, {bad} failed, {count['skipped']} skipped"
    return Row(name, what, demand, figure, count["tests"] > 0 and bad == 0 and count["skipped"] == 0, count)
