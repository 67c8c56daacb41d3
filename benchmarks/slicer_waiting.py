"""How long a person waits in Slicer: for a result, beside the detection itself, and for the mask after the threshold was moved.

    python benchmarks/slicer_waiting.py [scan.nii.gz]

The real panel, on PySide6 and a scene of slicer-core, and a real server on loopback. The scan is detected once; when the button is
pressed again the server answers from its memory, so that all the time from there to the nine views is overhead: writing, sending,
asking how far it is, fetching, building the nodes, drawing. Then the slider is moved, and the time taken until mask, table and views
have followed, the slider's own pause included. Exits with status 1 when a median exceeds its limit. Needs port 8000.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from slicer_screenshots import SAMPLE, Desk, Desktop, QtWidgets, View, loaded_ui, served, shown, until

REPEATS = 5
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7)
"""Of the map's peak, where the threshold is put."""


def main() -> int:
    """Measure, print, and judge by `--limit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path, nargs="?", default=SAMPLE)
    parser.add_argument("--limit", type=float, default=2.0, help="seconds that a result may take beside its detection")
    parser.add_argument("--move-limit", type=float, default=0.15, help="seconds from the moved slider to the views")
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
            draw(desk)
            taken.append(time.monotonic() - started)
        moved = [until_shown(panel, ui, desk, share) for share in SHARES]
        size = panel.session.result.get("scan").GetImageData().GetDimensions()
        panel.close()
    overhead = statistics.median(taken[1:])
    print(f"{options.scan.name}, {' x '.join(map(str, size))} voxels, views of {' x '.join(map(str, View.SIZE))} pixels drawn")
    print(f"first, with the detection: {taken[0]:.1f} s; again, from the server's memory: {overhead:.2f} s ({min(taken[1:]):.2f}-{max(taken[1:]):.2f})")
    print(f"from the moved threshold to the views: {1000 * statistics.median(moved):.0f} ms ({1000 * min(moved):.0f}-{1000 * max(moved):.0f})")
    return 0 if overhead <= options.limit and statistics.median(moved) <= options.move_limit else 1


def until_shown(panel: Any, ui: Any, desk: Desk, share: float) -> float:
    """Seconds from the slider, put at a share of the map's peak, to views with the new mask."""
    findings, started = panel.session.live.findings, time.monotonic()
    ui.thresholdSlider.setValue(share * panel.session.live.highest)
    until(lambda: panel.session.live.findings is not findings)
    draw(desk)
    return time.monotonic() - started


def draw(desk: Desk) -> None:
    """Let every view show what there is."""
    for name in desk.views:
        desk.picture(name)


if __name__ == "__main__":
    sys.exit(main())
