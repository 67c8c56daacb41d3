"""The loss of a training as it falls."""

from __future__ import annotations

from typing import Any

import qt

from ..translation import _

WIDTH, HEIGHT, MARGIN = 320, 110, 14


class LossCurve:
    """One value for each epoch, drawn as a line between its lowest and its highest."""

    def __init__(self) -> None:
        self._losses: dict[int, float] = {}

    def add(self, epoch: int, loss: float) -> None:
        self._losses[epoch] = loss

    @property
    def is_worth_drawing(self) -> bool:
        return len(self._losses) > 1

    def points(self) -> list[tuple[float, float]]:
        """Where the line goes, in pixels from the upper left corner."""
        epochs, values = sorted(self._losses), [self._losses[epoch] for epoch in sorted(self._losses)]
        low, span = min(values), max(max(values) - min(values), 1e-12)
        across, down = (WIDTH - 2 * MARGIN) / max(epochs[-1] - epochs[0], 1), (HEIGHT - 2 * MARGIN) / span
        return [(MARGIN + (epoch - epochs[0]) * across, HEIGHT - MARGIN - (value - low) * down) for epoch, value in zip(epochs, values)]

    def pixmap(self) -> Any:
        """The picture, in the colors of the application."""
        pixmap = qt.QPixmap(WIDTH, HEIGHT)
        palette = qt.QApplication.palette()
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        painter.setPen(palette.color(qt.QPalette.Text))
        epochs = sorted(self._losses)
        painter.drawText(4, 11, _("loss {loss:.4f}, epoch {epoch}").format(loss=self._losses[epochs[-1]], epoch=epochs[-1]))
        painter.setPen(qt.QPen(palette.color(qt.QPalette.Highlight), 2))
        points = self.points()
        for (x, y), (next_x, next_y) in zip(points, points[1:]):
            painter.drawLine(round(x), round(y), round(next_x), round(next_y))
        painter.end()
        return pixmap
