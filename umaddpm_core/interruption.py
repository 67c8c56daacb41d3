"""Lets long computations stop in their midst, without every function between caller and loop handing the question on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from umaddpm_core.errors import Cancelled

_cancelled: ContextVar[Callable[[], bool] | None] = ContextVar("cancelled", default=None)


@contextmanager
def interruptible(cancelled: Callable[[], bool] | None) -> Iterator[None]:
    """Within this block, and in this thread alone, `checkpoint` asks `cancelled` whether to stop."""
    token = _cancelled.set(cancelled)
    try:
        yield
    finally:
        _cancelled.reset(token)


def interrupted() -> bool:
    """Whether the caller of the block around this asked to stop."""
    cancelled = _cancelled.get()
    return cancelled is not None and cancelled()


def checkpoint() -> None:
    """Stop here where the caller asked to.

    Raises:
        Cancelled: it did.
    """
    if interrupted():
        raise Cancelled
