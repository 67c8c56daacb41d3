"""The progress bar of every command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Moves the bar to a share of the work, 0–1, and says in words what is being done."""

    def __call__(self, share: float, phase: str = "") -> None: ...


@contextmanager
def progress_bar(title: str) -> Iterator[Advance]:
    """A bar on standard error with the phase, the share done and the time left; silent where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)

        def advance(share: float, phase: str = "") -> None:
            bar.update(task, completed=share, description=f"{title}: {phase}" if phase else title)

        yield advance
