"""How long sending a scan and showing its result takes in Slicer beside the detection itself.

    python benchmarks/slicer_overhead.py [scan.nii.gz]

The real panel, on PySide6 and a scene of slicer-core, and a real server on loopback. The scan is detected once; when the button is
pressed again the server answers from its memory, so that all the time from there to the result in the views is overhead: writing,
sending, asking how far it is, fetching, and building the nodes. Exits with status 1 when the median exceeds
`--limit`. Needs port 8000.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from slicer_screenshots import SAMPLE, Desk, Desktop, QtWidgets, View, drawn, loaded_ui, served, shown, until

REPEATS = 5


def main() -> int:
    """Measure, print, and judge by `--limit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path, nargs="?", default=SAMPLE)
    parser.add_argument("--limit", type=float, default=2.0, help="seconds that the median may take")
    options = parser.parse_args()
    application = QtWidgets.QApplication(["panel"])  # noqa: F841, kept alive
    taken = []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        desk, desktop = Desk(Path(folder)), Desktop(Path(folder) / "desktop")
        desk.comparison()
        widget, ui = loaded_ui()
        ui.scanSelector.setMRMLScene(desk.scene)
        panel = shown(widget, ui, desk, desktop, server.url)
        ui.scanSelector.setCurrentNode(desk.load(options.scan, options.scan.name.split(".")[0]))
        for _ in range(1 + REPEATS):
            before, started = panel.session.result, time.monotonic()
            ui.detectButton.click()
            until(lambda: not panel.detection.is_running)
            if panel.session.result is before:
                raise RuntimeError(ui.messageLabel.text())
            drawn(widget, desk)
            taken.append(time.monotonic() - started)
        size = panel.session.result.get("scan").GetImageData().GetDimensions()
        panel.close()
    overhead = statistics.median(taken[1:])
    print(f"{options.scan.name}, {' x '.join(map(str, size))} voxels, views of {' x '.join(map(str, View.SIZE))} pixels drawn")
    print(f"first, with the detection: {taken[0]:.1f} s; again, from the server's memory: {overhead:.2f} s ({min(taken[1:]):.2f}-{max(taken[1:]):.2f})")
    return 0 if overhead <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
